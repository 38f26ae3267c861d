-- Makes leases end later, counted from now.
--
-- KEYS  the queue's
-- ARGV  for each
--       1 receipt
--       2 lease in milliseconds, empty for as long as the one that it has
--       3 progress (JSON text), empty for none
-- Reply for each an outcome and a number
--       'active', and when the lease ends
--       'cancelled', 'stale', and 0

although_full()
local reply = {}
for i = 1, #ARGV, 3 do
  local receipt, lease, progress = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2]
  local run, id = holding(receipt)
  if run then
    run.lease = lease or run.lease
    if progress ~= '' then
      run.progress = progress
    end
    save_run(id, run)
    redis.call('ZADD', ACTIVE, NOW + run.lease, id)
    reply[#reply + 1], reply[#reply + 2] = 'active', NOW + run.lease
  else
    reply[#reply + 1], reply[#reply + 2] = id, 0
  end
end
return reply
