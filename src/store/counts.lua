-- Tells how many jobs a queue has, and how many it has had.
--
-- KEYS  the queue's
-- ARGV  none
-- Reply 1 size: the jobs that a fetch would give
--       2 processed, 3 failed: nil before the first
--       4 status: '1' open, '0' stopped, nil for a queue that never was
--       5 policy: 'broadcast', 'roundrobin', nil where none was set

local counts = redis.call('HMGET', META, 'processed', 'failed', 'status', 'policy')
return {size(), unpack(counts)}
