-- Tries what operations need: writes a key that lives for a second, and runs each command that scripts use, in this one key.
-- The first write is refused when Redis is full, a replica, or takes no changes for another reason; so is this script then.
--
-- Reply 1 the server's time in milliseconds
--       2… the commands that the user of the connection may not run
--
-- @keys PROBE
-- @include clock

local MEMBER = 'a'
local COMMANDS = {
  {'SET', PROBE, '1', 'PX', '1000'}, {'GET', PROBE}, {'EXISTS', PROBE}, {'PEXPIRE', PROBE, '1000'}, {'PERSIST', PROBE},
  {'TIME'}, {'UNLINK', PROBE}, {'DEL', PROBE},
  {'HSET', PROBE, MEMBER, '1'}, {'HSETNX', PROBE, MEMBER, '1'}, {'HGET', PROBE, MEMBER}, {'HMGET', PROBE, MEMBER},
  {'HKEYS', PROBE}, {'HSCAN', PROBE, '0'}, {'HEXISTS', PROBE, MEMBER}, {'HINCRBY', PROBE, MEMBER, '1'},
  {'HDEL', PROBE, MEMBER},
  {'ZADD', PROBE, '1', MEMBER}, {'ZCARD', PROBE}, {'ZCOUNT', PROBE, '0', '1'}, {'ZLEXCOUNT', PROBE, '-', '+'},
  {'ZRANGE', PROBE, '0', '1'}, {'ZSCORE', PROBE, MEMBER},
  {'ZREMRANGEBYRANK', PROBE, '0', '-1'}, {'ZREM', PROBE, MEMBER},
  {'RPUSH', PROBE, MEMBER}, {'LRANGE', PROBE, '0', '1'}, {'LSET', PROBE, '0', MEMBER}, {'LTRIM', PROBE, '0', '1'},
  {'LLEN', PROBE}, {'LMOVE', PROBE, PROBE, 'LEFT', 'RIGHT'},
  {'LPOP', PROBE},
}
local missing = {}
for index, command in ipairs(COMMANDS) do
  local reply = redis.pcall(unpack(command))
  local err = type(reply) == 'table' and reply.err
  if err and (err:find('permission') or err:find('user executing the script') or err:find('ACL failure')) then
    missing[#missing + 1] = command[1]
  elseif err and index == 1 then
    return reply
  end
end
return {NOW, unpack(missing)}
