-- Forgets dead jobs.
--
-- KEYS  the queue's
-- ARGV  1 how many at most, the oldest first; 0 where ids are given
--       2… ids
-- Reply 1 how many were forgotten
--       2 how many of the ids are not of dead jobs
--       3 how many are dead now

local most, ids = tonumber(ARGV[1]), {unpack(ARGV, 2)}
if most > 0 then
  ids = redis.call('ZRANGE', DEAD, LATER, '+inf', 'BYSCORE', 'LIMIT', 0, most)
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
return {forgotten, #ids - forgotten, redis.call('ZCOUNT', DEAD, LATER, '+inf')}
