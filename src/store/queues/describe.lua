-- Tells all about a queue.
--
-- ARGV  none
-- Reply nothing when there is no such queue, else
--       1 status: '1' open, '0' stopped
--       2 the settings with their defaults, packed
--       3 the settings' tag
--       4 to 9 how many jobs are ready, scheduled, active, done, dead, cancelled
--       10 how many milliseconds ago the oldest ready job was inserted, or due; nil when there is none
--       11 to 17 how many were inserted, claimed, done, failed, how many leases were lost, how many became dead, and how many were
--         released, since the queue began
--       18 how many jobs were dropped because their records were gone
--       19 to 22 how many were inserted, claimed, done, failed in the last minute
--       23 how many workers were seen in the last hour
--
-- @promises nothing
-- @keys META, SCHEDULED, ACTIVE, DONE, DEAD, CANCELLED, SEEN
-- @include clock, counts, partition, queue, ready, sweep, unique_key

local status, settings, sweep_at, orphans = unpack(redis.call('HMGET', META, 'status', 'settings', 'sweep-at', 'orphans'))
if not status then
  return {}
end
sweep_when_due(sweep_at, settings)
release_overdue_unique_keys(100)

local reply = {status, pack_effective(settings), settings_tag(settings, status)}
local function add(value)
  reply[#reply + 1] = value
end
add(count_ready())
add(redis.call('ZCOUNT', SCHEDULED, AFTER_NOW, '+inf'))
add(redis.call('ZCARD', ACTIVE))
for _, key in ipairs({DONE, DEAD, CANCELLED}) do
  add(redis.call('ZCOUNT', key, AFTER_NOW, '+inf'))
end
local oldest = oldest_ready_since()
add(oldest and math.max(0, NOW - oldest) or false)
local totals, rates = read_counted()
for _, total in ipairs(totals) do
  add(total)
end
add(tonumber(orphans or 0))
for _, count in ipairs(last_minute_counts(totals, rates)) do
  add(count)
end
add(redis.call('ZCOUNT', SEEN, NOW - 3600000, '+inf'))
return tell_layout(settings, reply)
