-- Tells, on partition 0, what an insert into another partition must do to have the queue in the catalog.
--
-- ARGV  none
-- Reply 1 the time to enter in the catalog, or -1 when the queue is there, or does not exist any more
--
-- @keys META
-- @include queue

local status, cataloged = unpack(redis.call('HMGET', META, 'status', 'cataloged'))
return {(cataloged or not status) and -1 or make_queue()}
