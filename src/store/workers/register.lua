-- Registers a legacy worker on a queue, with its counts there at 0. What it has there under a lease comes back when that ends: it
-- has crashed.
--
-- ARGV  1 worker
-- Reply 1 always 1
--
-- @keys META, LEGACY_RECEIPTS, WORKER_COUNTS, WORKER_FAILURES
-- @include partition

local worker = ARGV[1]
redis.call('HDEL', LEGACY_RECEIPTS, worker)
redis.call('HSET', WORKER_COUNTS, worker, 0)
redis.call('HSET', WORKER_FAILURES, worker, 0)
return tell_layout(redis.call('HGET', META, 'settings'), {1})
