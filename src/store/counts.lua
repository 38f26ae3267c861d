-- Tells how many jobs a queue has, and how many it has had.
--
-- KEYS  the queue's
-- ARGV  none
-- Reply 1 size: the jobs that a fetch would give
--       2 processed, 3 failed: nil before the first
--       4 status: '1' open, '0' stopped, nil for a queue that never was

local counts = redis.call('HMGET', META, 'processed', 'failed', 'status')
return {size(), counts[1], counts[2], counts[3]}
