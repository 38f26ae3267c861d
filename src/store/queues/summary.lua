-- Tells in short how queues are, for those who look at many.
--
-- ARGV  none
-- Reply nothing when there is no such queue, else
--       1 status: '1' open, '0' stopped
--       2 the server's time in milliseconds
--       3 to 8 how many jobs are ready, scheduled, active, done, dead, cancelled
--       9 since when the oldest ready job is ready (ms), nil when none is
--       10 to 13 how many were inserted, claimed, done, failed in the last minute
--       14 how many workers were seen in the last hour
--       15 to 21 how many were inserted, claimed, done, failed, how many leases were lost, how many became dead, and how many were
--         released, since the queue began
--       22 how many jobs were dropped because their records were gone; nil for none
--       23… how many were claimed after each of the waits that CLAIMED has, as text; nil for none
--
-- @promises nothing
-- @keys META, SCHEDULED, ACTIVE, DONE, DEAD, CANCELLED, SEEN
-- @include clock, counts, partition, ready, waits

local status, orphans, settings = unpack(redis.call('HMGET', META, 'status', 'orphans', 'settings'))
if not status then
  return {}
end
local ready = count_ready()
local reply = {status, NOW, ready, redis.call('ZCOUNT', SCHEDULED, AFTER_NOW, '+inf'), redis.call('ZCARD', ACTIVE)}
for _, key in ipairs({DONE, DEAD, CANCELLED}) do
  reply[#reply + 1] = redis.call('ZCOUNT', key, AFTER_NOW, '+inf')
end
reply[#reply + 1] = ready > 0 and oldest_ready_since() or false
local totals, rates, waits = read_counted()
for _, count in ipairs(last_minute_counts(totals, rates)) do
  reply[#reply + 1] = count
end
reply[#reply + 1] = redis.call('ZCOUNT', SEEN, NOW - 3600000, '+inf')
for _, total in ipairs(totals) do
  reply[#reply + 1] = total
end
reply[#reply + 1] = orphans
-- The first of CLAIMED has no wait.
for i = 2, #CLAIMED do
  reply[#reply + 1] = waits[i]
end
return tell_layout(settings, reply)
