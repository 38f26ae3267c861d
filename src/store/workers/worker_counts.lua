-- Tells what a legacy worker did on a queue.
--
-- ARGV  1 worker
-- Reply 1 how many jobs it has processed, 2 how many it has failed: nil where it is not registered
--
-- @promises nothing
-- @keys META, WORKER_COUNTS, WORKER_FAILURES
-- @include partition

local reply = {redis.call('HGET', WORKER_COUNTS, ARGV[1]), redis.call('HGET', WORKER_FAILURES, ARGV[1])}
return tell_layout(redis.call('HGET', META, 'settings'), reply)
