-- Acknowledges, in a further partition, what a legacy worker has under a lease: a job that it failed at has come back. Those jobs
-- do not count as done.
--
-- ARGV  1 worker
-- Reply 1 always 1
--
-- @keys META
-- @include legacy_worker

ack_legacy_receipts(ARGV[1], redis.call('HGET', META, 'settings'))
return {1}
