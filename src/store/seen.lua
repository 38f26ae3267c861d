-- The workers that were seen within a day, the last one first. Forgets some that were not.
--
-- KEYS  1 worker and queue, by when they were last seen
-- ARGV  1 how many at most
-- Reply for each its member and its time in milliseconds

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local old = redis.call('ZRANGE', KEYS[1], '-inf', now - 86400000, 'BYSCORE', 'LIMIT', 0, 1000)
if #old > 0 then
  redis.call('ZREM', KEYS[1], unpack(old))
end
return redis.call('ZRANGE', KEYS[1], '+inf', '(' .. now - 86400000, 'BYSCORE', 'REV', 'LIMIT', 0, ARGV[1], 'WITHSCORES')
