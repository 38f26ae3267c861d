-- Tells how many jobs a queue has, and how many it has had.
--
-- ARGV  none
-- Reply 1 how many jobs are ready
--       2 processed, 3 failed: nil before the first
--       4 status: '1' open, '0' stopped, nil for a queue that does not exist
--       5 policy: 'broadcast', 'roundrobin', nil where none was set
--
-- @promises nothing
-- @keys META
-- @include partition, ready, sweep, waits

local values = redis.call('HMGET', META, 'failed', 'status', 'policy', 'sweep-at', 'settings', unpack(CLAIMED))
local failed, status, policy, sweep_at, settings = unpack(values)
if status then
  sweep_when_due(sweep_at, settings)
end
return tell_layout(settings, {count_ready(), sum_of_claimed(values, 6) or false, failed, status, policy})
