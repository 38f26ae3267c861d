-- Tells, on partition 0, what an insert into another partition must do to have the queue in the catalog.
--
-- ARGV  none
-- Reply 1 the time to enter in the catalog, or -1 when the queue is there, or does not exist any more
--
-- @promises nothing
-- @keys META
-- @include queue

local status, cataloged = unpack(redis.call('HMGET', META, 'status', 'cataloged'))
return {status and time_to_enter(cataloged) or -1}
