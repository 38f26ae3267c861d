-- Shows the next jobs without taking them, in the order in which a fetch would give them.
--
-- ARGV  1 how many at most
--       2 max_bytes: how many bytes at most; the first job is shown whatever its size
-- Reply 1 how many jobs are ready
--       2… the payloads
--
-- @keys JOBS, READY
-- @include job, ready

local max_jobs, max_bytes = tonumber(ARGV[1]), tonumber(ARGV[2])
promote(max_jobs)
local reply = {count_ready()}
for _, id in ipairs(redis.call('ZRANGE', READY, 0, max_jobs - 1)) do
  local _, payload = decode(redis.call('HGET', JOBS, id))
  max_bytes = max_bytes - #payload
  if max_bytes < 0 and #reply > 1 then
    break
  end
  reply[#reply + 1] = payload
end
return reply
