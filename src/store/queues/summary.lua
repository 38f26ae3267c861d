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
--
-- @keys META, SCHEDULED, ACTIVE, DONE, DEAD, CANCELLED, SEEN
-- @include clock, counts, ready

local status = redis.call('HGET', META, 'status')
if not status then
  return {}
end
local ready = count_ready()
local reply = {status, NOW, ready, redis.call('ZCOUNT', SCHEDULED, AFTER_NOW, '+inf'), redis.call('ZCARD', ACTIVE)}
for _, key in ipairs({DONE, DEAD, CANCELLED}) do
  reply[#reply + 1] = redis.call('ZCOUNT', key, AFTER_NOW, '+inf')
end
reply[#reply + 1] = ready > 0 and oldest_ready_since() or false
local totals, rates = read_counted()
for _, count in ipairs(last_minute_counts(totals, rates)) do
  reply[#reply + 1] = count
end
reply[#reply + 1] = redis.call('ZCOUNT', SEEN, NOW - 3600000, '+inf')
return reply
