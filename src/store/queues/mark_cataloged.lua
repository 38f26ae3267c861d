-- Marks a queue as being in the catalog, unless it does not exist, or was deleted since it was entered there.
--
-- ARGV  1 the time that was entered
-- Reply 1 whether it was marked: 1, or 0 when the queue does not exist any more
--
-- @promises nothing
-- @keys META

local status, generation = unpack(redis.call('HMGET', META, 'status', 'generation'))
if not status or tonumber(generation or 0) >= tonumber(ARGV[1]) then
  return {0}
end
redis.call('HSET', META, 'cataloged', ARGV[1])
return {1}
