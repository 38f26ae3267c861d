-- Gives leases a new end, counted from now: later, or earlier.
--
-- ARGV  for each
--       1 receipt
--       2 lease in milliseconds, empty for the same as before
--       3 progress (JSON text), empty for none
-- Reply for each an outcome and a number
--       'active', and when the lease ends
--       'cancelled' or 'stale', and 0
--
-- @keys META, ACTIVE
-- @include clock, event, execution, queue, receipt, wakeup

allow_when_full()
local waiting_until, next_event = unpack(redis.call('HMGET', META, 'waiting-until', 'next-event'))
local first_end = math.huge
local reply = {}
for i = 1, #ARGV, 3 do
  local receipt, lease, progress = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2]
  local id, execution, lease_end = find_active(receipt)
  if id then
    execution.lease = lease or execution.lease
    if progress ~= '' then
      execution.progress = progress
    end
    save_execution(id, execution)
    redis.call('ZADD', ACTIVE, NOW + execution.lease, id)
    if NOW + execution.lease < lease_end then
      first_end = math.min(first_end, NOW + execution.lease)
    end
    reply[#reply + 1], reply[#reply + 2] = 'active', NOW + execution.lease
  else
    reply[#reply + 1], reply[#reply + 2] = why_not_active(receipt), 0
  end
end
note_event(next_event, first_end)
if first_end < math.huge and first_end <= first_event() then
  -- Claims that wait block until the next event that they know of. A lease ends before that now: wake all.
  wake(waiting_until, MAX_TOKENS)
end
return reply
