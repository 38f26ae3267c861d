-- Forgets dead jobs.
--
-- ARGV  1 how many at most, the oldest first; 0 where ids are given
--       2… ids
-- Reply 1 how many were forgotten
--       2 how many of the ids are not of dead jobs
--       3 how many are dead now
--
-- @keys DEAD
-- @include clock, job

local max_jobs, ids = tonumber(ARGV[1]), {unpack(ARGV, 2)}
if max_jobs > 0 then
  ids = redis.call('ZRANGE', DEAD, AFTER_NOW, '+inf', 'BYSCORE', 'LIMIT', 0, max_jobs)
end
local forgotten = 0
for _, id in ipairs(ids) do
  local until_ = redis.call('ZSCORE', DEAD, id)
  if until_ and tonumber(until_) > NOW then
    redis.call('ZREM', DEAD, id)
    forget(id)
    forgotten = forgotten + 1
  end
end
return {forgotten, #ids - forgotten, redis.call('ZCOUNT', DEAD, AFTER_NOW, '+inf')}
