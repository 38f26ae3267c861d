-- Tells how many jobs a queue has, and how many it has had.
--
-- ARGV  none
-- Reply 1 how many jobs are ready
--       2 processed, 3 failed: nil before the first
--       4 status: '1' open, '0' stopped, nil for a queue that does not exist
--       5 policy: 'broadcast', 'roundrobin', nil where none was set
--
-- @keys META
-- @include ready

return {count_ready(), unpack(redis.call('HMGET', META, 'processed', 'failed', 'status', 'policy'))}
