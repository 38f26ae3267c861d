-- Notes that a worker was seen on a queue, and forgets some that were not within a day.
--
-- ARGV  1 worker and queue
--       2 when, in milliseconds
-- Reply 1 always 1
--
-- @promises nothing
-- @keys ALL_SEEN

redis.call('ZADD', ALL_SEEN, 'GT', ARGV[2], ARGV[1])
redis.call('PEXPIRE', ALL_SEEN, 86400000)
local overdue = redis.call('ZRANGE', ALL_SEEN, '-inf', ARGV[2] - 86400000, 'BYSCORE', 'LIMIT', 0, 100)
if #overdue > 0 then
  redis.call('ZREM', ALL_SEEN, unpack(overdue))
end
return {1}
