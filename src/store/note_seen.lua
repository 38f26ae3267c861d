-- Notes that a worker was seen on a queue, and forgets some that were not within a day.
--
-- KEYS  1 worker and queue, by when they were last seen
-- ARGV  1 worker and queue
--       2 when, in milliseconds
-- Reply 1 always 1

redis.call('ZADD', KEYS[1], 'GT', ARGV[2], ARGV[1])
local old = redis.call('ZRANGE', KEYS[1], '-inf', ARGV[2] - 86400000, 'BYSCORE', 'LIMIT', 0, 100)
if #old > 0 then
  redis.call('ZREM', KEYS[1], unpack(old))
end
return {1}
