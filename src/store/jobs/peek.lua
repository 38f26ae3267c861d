-- Shows the next jobs without taking them, in the order in which a fetch would give them.
--
-- ARGV  1 how many at most, 0 for none
--       2 max_bytes: how many bytes at most; the first job is shown whatever its size
-- Reply 1 how many jobs are ready
--       2… the payloads
--
-- @promises nothing
-- @keys META, READY
-- @include batch, job, orphan, partition, ready

local max_jobs, max_bytes = tonumber(ARGV[1]), tonumber(ARGV[2])
let_in(max_jobs)
local reply = {0}
for _, member in ipairs(max_jobs > 0 and redis.call('ZRANGE', READY, 0, max_jobs - 1) or {}) do
  local payload = payload_in(member) or select(2, read_record(member))
  if payload then
    max_bytes = max_bytes - #payload
    if max_bytes < 0 and #reply > 1 then
      break
    end
    reply[#reply + 1] = payload
  else
    drop_orphan(READY, member)
  end
end
reply[1] = count_ready()
return tell_layout(redis.call('HGET', META, 'settings'), tell_orphans(reply))
