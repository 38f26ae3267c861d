-- Unregisters a legacy worker on a queue. What it has under a lease, where the queue delivers at least once,
-- is acknowledged.
--
-- ARGV  1 worker
-- Reply 1 how many jobs it has processed on this queue, nil when it was not registered
--       2 how many it has failed, nil as above
--
-- @keys META, WORKER_COUNTS, WORKER_FAILURES
-- @include legacy_worker, partition

local worker = ARGV[1]
local settings, period = unpack(redis.call('HMGET', META, 'settings', 'period'))
finish_legacy_receipts(worker, settings, period)
local reply = {redis.call('HGET', WORKER_COUNTS, worker), redis.call('HGET', WORKER_FAILURES, worker)}
redis.call('HDEL', WORKER_COUNTS, worker)
redis.call('HDEL', WORKER_FAILURES, worker)
return tell_layout(settings, reply)
