-- Makes leases end later, counted from now.
--
-- ARGV  for each
--       1 receipt
--       2 lease in milliseconds, empty for the same as before
--       3 progress (JSON text), empty for none
-- Reply for each an outcome and a number
--       'active', and when the lease ends
--       'cancelled' or 'stale', and 0
--
-- @keys ACTIVE
-- @include clock, execution, queue, receipt

allow_when_full()
local reply = {}
for i = 1, #ARGV, 3 do
  local receipt, lease, progress = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2]
  local id, execution = find_active(receipt)
  if id then
    execution.lease = lease or execution.lease
    if progress ~= '' then
      execution.progress = progress
    end
    save_execution(id, execution)
    redis.call('ZADD', ACTIVE, NOW + execution.lease, id)
    reply[#reply + 1], reply[#reply + 2] = 'active', NOW + execution.lease
  else
    reply[#reply + 1], reply[#reply + 2] = why_not_active(receipt), 0
  end
end
return reply
