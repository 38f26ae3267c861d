-- What a queue counts.
--
-- @keys META, WORKER_COUNTS, WORKER_FAILURES
-- @include clock, waits

-- What is counted is told for the last minute, by periods of ten seconds, and minute by minute for the last three hours. It costs
-- a call nothing, but the first one in a period. These fields of META have it:
--
--   period        the last period in which something was counted
--   rates         for each period of the last minute in which something was counted, and all of the minute of `period`: its
--                 number, and what had been counted when it began; packed
--   history       for each minute before that of `period` in which something was counted: its number, how much of each was,
--                 and the longest wait; packed
--   longest-wait  the longest wait in the minute of `period`, see `note_wait`
local PERIOD, PERIODS = 10000, 7
local MINUTE, MINUTES = 60000, 180

-- How many totals there are: how many jobs were inserted, claimed, done, failed; how many leases were lost; how many jobs became
-- dead; how many were released. All that is told of a time is told of these, in this order.
local TOTALS = 7

-- The minute that a period is in.
local function minute_of(period)
  return math.floor(period * PERIOD / MINUTE)
end

-- The totals; what `rates` has; and the values of CLAIMED: three tables.
local function read_counted()
  local values = redis.call('HMGET', META, 'rates', 'sequence', 'done', 'failed', 'lost-leases', 'died', 'released',
    unpack(CLAIMED))
  local rates = values[1] and cmsgpack.unpack(values[1]) or {}
  local totals, waits = {}, {unpack(values, TOTALS + 1)}
  for i = 2, TOTALS do
    totals[i - 1] = tonumber(values[i] or 0)
  end
  table.insert(totals, 2, sum_of_claimed(waits, 1) or 0)
  return totals, rates, waits
end

-- What had been counted when a period began: nothing was since, until the next period in which something was.
local function totals_at(period, totals, rates)
  for _, rate in ipairs(rates) do
    if rate[1] >= period then
      return rate[2]
    end
  end
  return totals
end

-- How many were inserted, claimed, done, and failed in the six periods before this one.
local function last_minute_counts(totals, rates)
  local period = math.floor(NOW / PERIOD)
  local before, after = totals_at(period - PERIODS + 1, totals, rates), totals_at(period, totals, rates)
  local counts = {}
  for i = 1, 4 do
    -- An older version did not count all that is counted as claimed now.
    counts[i] = math.max(0, after[i] - before[i])
  end
  return counts
end

-- The minute of the last period, as the history has minutes; nil when nothing was counted yet.
local function latest_minute(totals, rates, longest_wait)
  local last = rates[#rates]
  for _, rate in ipairs(rates) do
    if minute_of(rate[1]) == minute_of(last[1]) then
      local minute = {minute_of(last[1])}
      for i = 1, TOTALS do
        -- An older version counted less.
        minute[i + 1] = totals[i] - (rate[2][i] or totals[i])
      end
      minute[TOTALS + 2] = tonumber(longest_wait or 0)
      return minute
    end
  end
end

-- The minutes of the last three hours in which something was counted, the oldest first: those that the history has, and the
-- latest.
local function minutes(totals, rates)
  local packed, longest_wait = unpack(redis.call('HMGET', META, 'history', 'longest-wait'))
  local all, kept = packed and cmsgpack.unpack(packed) or {}, {}
  all[#all + 1] = latest_minute(totals, rates, longest_wait)
  for _, minute in ipairs(all) do
    if #minute < TOTALS + 2 then
      -- Of an older version, which did not count what was released.
      table.insert(minute, TOTALS + 1, 0)
    end
    if minute[1] > math.floor(NOW / MINUTE) - MINUTES then
      kept[#kept + 1] = minute
    end
  end
  return kept
end

-- Begins a period, unless this call has begun it before.
-- @rare
local function begin_period()
  local period = math.floor(NOW / PERIOD)
  local totals, rates = read_counted()
  local last = rates[#rates]
  if last and last[1] >= period then
    return
  end
  local fields = {'period', period}
  if last and minute_of(last[1]) < minute_of(period) then
    fields = {'period', period, 'history', cmsgpack.pack(minutes(totals, rates)), 'longest-wait', 0}
  end
  local current = {}
  for _, rate in ipairs(rates) do
    if rate[1] > period - PERIODS then
      current[#current + 1] = rate
    end
  end
  current[#current + 1] = {period, totals}
  redis.call('HSET', META, 'rates', cmsgpack.pack(current), unpack(fields))
end

-- Whether what was counted up to a period is of no interest any more.
local function is_period_over(period)
  return minute_of(period) <= math.floor(NOW / MINUTE) - MINUTES
end

-- To be called before anything is counted. Takes the field `period` of META.
local function note_period(period)
  if not period or NOW >= (period + 1) * PERIOD then
    begin_period()
  end
end

-- Count for a legacy worker, when it is registered on the queue.
-- @rare
local function count_claimed_by(worker, count)
  if redis.call('HEXISTS', WORKER_COUNTS, worker) == 1 then
    redis.call('HINCRBY', WORKER_COUNTS, worker, count)
  end
end

-- @rare
local function count_failed_by(worker)
  if redis.call('HEXISTS', WORKER_FAILURES, worker) == 1 then
    redis.call('HINCRBY', WORKER_FAILURES, worker, 1)
  end
end

-- How long a job waits before that is noted (ms).
local MIN_NOTED_WAIT = 1000

-- Notes how long a job was ready before it was claimed (ms), if that is longer by a tenth than what is noted for this minute: in
-- a queue that grows each job waits longer than the last. Takes the fields `period` and `longest-wait` of META as they were before anything was counted.
-- @rare
local function note_wait(period, longest_wait, wait)
  local is_first = not period or minute_of(period) < math.floor(NOW / MINUTE)
  if is_first or wait > 1.1 * tonumber(longest_wait or 0) then
    redis.call('HSET', META, 'longest-wait', wait)
  end
end

-- These take the field `period` of META. When Redis is full the script must have written before, see `allow_when_full`.
--
-- `wait` is the longest time (ms) that one of these jobs was ready, and `waited` the field that counts them all, or a table of
-- fields and their counts. Takes the field `longest-wait` of META, too.
local function count_claimed(period, longest_wait, worker, count, wait, waited)
  note_period(period)
  if wait >= MIN_NOTED_WAIT then
    note_wait(period, longest_wait, wait)
  end
  if type(waited) == 'string' then
    redis.call('HINCRBY', META, waited, count)
  else
    for field, part in pairs(waited) do
      redis.call('HINCRBY', META, field, part)
    end
  end
  if worker ~= '' then
    count_claimed_by(worker, count)
  end
end

local function count_done(period, count)
  if count > 0 then
    note_period(period)
    redis.call('HINCRBY', META, 'done', count)
  end
end

local function count_failed(period, worker)
  note_period(period)
  redis.call('HINCRBY', META, 'failed', 1)
  if worker ~= '' then
    count_failed_by(worker)
  end
end

-- @rare
local function count_released(period)
  note_period(period)
  redis.call('HINCRBY', META, 'released', 1)
end

-- @rare
local function count_lost_leases(period, count)
  if count > 0 then
    note_period(period)
    redis.call('HINCRBY', META, 'lost-leases', count)
  end
end

-- @rare
local function count_dead()
  note_period(redis.call('HGET', META, 'period'))
  redis.call('HINCRBY', META, 'died', 1)
end
