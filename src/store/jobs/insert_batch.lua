-- Inserts many jobs without options, all of them or none: a batch of one slice.
--
-- ARGV  1 the slice, see batch.lua
--       2 how many jobs it has
--       3 how many bytes the largest payload has
--       4 when all of them are due, in milliseconds since 1970; empty for at once
--       5 priority
--       6 the version of the layout by which it belongs here, empty where it belongs anywhere
-- Reply 1 outcome: 'inserted', 'too-large' (more than the queue's setting max_bytes), 'moved' (another layout holds); with the
--         last two nothing was changed
--       2 the time to enter in the catalog, or -1 when the queue is there
--
-- @keys META
-- @include batch, clock, counts, event, partition, queue, sweep, wakeup

local slice, count, largest, due, priority = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], ARGV[5]
local cataloged, waiting_until, packed_settings, sweep_at, period, next_event = unpack(redis.call(
  'HMGET', META, 'cataloged', 'waiting-until', 'settings', 'sweep-at', 'period', 'next-event'))
if ARGV[6] ~= '' and is_moved(ARGV[6], packed_settings) then
  return tell_layout(packed_settings, {'moved', -1})
end
if packed_settings and largest > (cmsgpack.unpack(packed_settings).max_bytes or math.huge) then
  return tell_layout(packed_settings, {'too-large', -1})
end
local enter_at = time_to_enter(cataloged)
note_period(period)
local number = redis.call('HINCRBY', META, 'sequence', count) - count + 1
store_payloads(payloads_in(slice), number, NOW, due, priority)
if due ~= '' then
  note_event(next_event, tonumber(due))
end
wake(waiting_until, count)
return tell_layout(packed_settings, tell_sweep(sweep_at, {'inserted', enter_at}))
