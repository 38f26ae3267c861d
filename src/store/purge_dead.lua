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
  ids = redis.call('ZRANGE', DEAD, 0, most - 1)
end
local forgotten = 0
for _, id in ipairs(ids) do
  if redis.call('ZREM', DEAD, id) == 1 then
    forget(id)
    forgotten = forgotten + 1
  end
end
return {forgotten, #ids - forgotten, redis.call('ZCARD', DEAD)}
