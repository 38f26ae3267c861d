-- Inserts a batch whose slices are staged, all of it or nothing: see batch.lua.
--
-- ARGV  1 how many jobs it has
--       2 how many slices
--       3 when all of them are due, in milliseconds since 1970; empty for at once
--       4 priority
--       5 the version of the layout by which it belongs here, empty where it belongs anywhere
-- Reply 1 outcome: 'committed', 'lost' (slices are gone: the server has lost them; nothing was changed), 'moved' (another
--         layout holds: the slices are dropped)
--       2 the time to enter in the catalog, or -1 when the queue is there
--
-- @keys META, STAGED
-- @include batch, counts, partition, queue, sweep, wakeup

local count, slices, due, priority = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], ARGV[4]
local cataloged, waiting_until, sweep_at, period, packed_settings =
  unpack(redis.call('HMGET', META, 'cataloged', 'waiting-until', 'sweep-at', 'period', 'settings'))
if ARGV[5] ~= '' and is_moved(ARGV[5], packed_settings) then
  redis.call('UNLINK', STAGED)
  return tell_layout(packed_settings, {'moved', -1})
elseif redis.call('LLEN', STAGED) ~= slices then
  return tell_layout(packed_settings, {'lost', -1})
end
local enter_at = time_to_enter(cataloged)
note_period(period)
local number = redis.call('HINCRBY', META, 'sequence', count) - count + 1
commit(STAGED, count, slices, number, due, priority)
wake(waiting_until, count)
return tell_layout(packed_settings, tell_sweep(sweep_at, {'committed', enter_at}))
