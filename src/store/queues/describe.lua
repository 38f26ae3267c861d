-- Tells all about a queue.
--
-- ARGV  none
-- Reply nothing when there is no such queue, else
--       1 status: '1' open, '0' stopped
--       2 the settings with their defaults, packed
--       3 the settings' tag
--       4 to 9 how many jobs are ready, scheduled, active, done, dead, cancelled
--       10 how many milliseconds ago the oldest ready job was inserted, or due; nil when there is none
--       11 to 14 how many were claimed, done, failed, and how many leases were lost, since the queue began
--       15 how many jobs were dropped because their records were gone
--       16 to 19 how many were inserted, claimed, done, failed in the last minute
--       20 how many workers were seen in the last hour
--
-- @keys META, READY, SCHEDULED, ACTIVE, DONE, DEAD, CANCELLED, SEEN
-- @include clock, counts, job, queue, ready, sweep, unique_key

-- What had been counted when a period began: nothing was since, until the next period in which something was.
local function totals_at(period, rates_now, totals)
  for _, rate in ipairs(rates_now) do
    if rate[1] >= period then
      return rate[2]
    end
  end
  return totals
end

-- Since when the oldest job is ready (ms), nil when none is. Looks at two jobs of each priority: the first that was
-- scheduled, and the first that was not.
local function oldest_ready()
  local oldest
  local function consider(since)
    oldest = math.min(oldest or since, since)
  end
  local due = redis.call('ZRANGE', SCHEDULED, 0, 0, 'WITHSCORES')
  if due[2] and tonumber(due[2]) <= NOW then
    consider(math.max(inserted_of(due[1]), tonumber(due[2])))
  end
  for priority = 9, 0, -1 do
    local start = start_of_priority(priority)
    local unscheduled_start = start + UNSCHEDULED_OFFSET
    local before_unscheduled = string.format('(%.0f', unscheduled_start)
    local before_end = string.format('(%.0f', start + PRIORITY_SPAN)
    local first = redis.call('ZRANGE', READY, start, before_unscheduled, 'BYSCORE', 'LIMIT', 0, 1, 'WITHSCORES')
    if first[1] then
      consider(math.max(inserted_of(first[1]), tonumber(first[2]) - start - DATE_OFFSET))
    end
    first = redis.call('ZRANGE', READY, unscheduled_start, before_end, 'BYSCORE', 'LIMIT', 0, 1)
    if first[1] then
      consider(inserted_of(first[1]))
    end
  end
  return oldest
end

local status, settings, sweep_at, lost_leases, orphans =
  unpack(redis.call('HMGET', META, 'status', 'settings', 'sweep-at', 'lost-leases', 'orphans'))
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
local oldest = oldest_ready()
add(oldest and math.max(0, NOW - oldest) or false)
local totals = totals_now()
for _, total in ipairs({totals[2], totals[3], totals[4], tonumber(lost_leases or 0), tonumber(orphans or 0)}) do
  add(total)
end
-- The six periods before this one.
local period, rates_now = math.floor(NOW / PERIOD), rates()
local before, after = totals_at(period - PERIODS + 1, rates_now, totals), totals_at(period, rates_now, totals)
for i = 1, #COUNTED do
  add(after[i] - before[i])
end
add(redis.call('ZCOUNT', SEEN, NOW - 3600000, '+inf'))
return reply
