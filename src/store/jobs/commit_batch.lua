-- Inserts a batch whose slices are staged, all of it or nothing: see batch.lua.
--
-- ARGV  1 how many jobs it has
--       2 how many slices
--       3 when all of them are due, in milliseconds since 1970; empty for at once
--       4 priority
-- Reply 1 outcome: 'committed', 'lost' (slices are gone: the server has lost them; nothing was changed)
--       2 the time to enter in the catalog, or -1 when the queue is there
--
-- @keys META, STAGED
-- @include batch, counts, queue, wakeup

local count, slices, due, priority = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], ARGV[4]
if redis.call('LLEN', STAGED) ~= slices then
  return {'lost', -1}
end
local cataloged, waiting_until, slice_of_rates = unpack(redis.call('HMGET', META, 'cataloged', 'waiting-until', 'slice'))
local generation_to_enter = cataloged and -1 or make_queue()
note_slice(slice_of_rates)
commit(STAGED, slices, redis.call('HINCRBY', META, 'sequence', count) - count + 1, due, priority)
wake(waiting_until, count)
return {'committed', generation_to_enter}
