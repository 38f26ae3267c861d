-- Takes the oldest entry: three commands.
--
-- KEYS  1 hash with the payloads, 2 sorted set of the numbers
-- Reply the payload, nil when there is none

local number = redis.call('ZPOPMIN', KEYS[2])[1]
if not number then
  return false
end
local payload = redis.call('HGET', KEYS[1], number)
redis.call('HDEL', KEYS[1], number)
return payload
