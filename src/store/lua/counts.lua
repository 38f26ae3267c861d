-- What a queue counts.
--
-- @keys META, WORKER_COUNTS, WORKER_FAILURES
-- @include clock

-- Rates are told in periods of ten seconds, of the last minute. The field `rates` of META has, for each period in which something
-- was counted, what had been counted when it began; so rates cost a call nothing, but the first in a period. The field `period`
-- is the last of them.
local PERIOD, PERIODS = 10000, 7

-- What is counted, as fields of META. `sequence` counts what was inserted.
local COUNTED = {'sequence', 'processed', 'done', 'failed'}

-- What has been counted, in this order.
local function totals_now()
  local totals = redis.call('HMGET', META, unpack(COUNTED))
  for i = 1, #COUNTED do
    totals[i] = tonumber(totals[i] or 0)
  end
  return totals
end

-- The periods of the last minute, oldest first: each a table of its number and what had been counted when it began.
local function rates()
  local packed, current = redis.call('HGET', META, 'rates'), {}
  for _, rate in ipairs(packed and cmsgpack.unpack(packed) or {}) do
    if rate[1] > math.floor(NOW / PERIOD) - PERIODS then
      current[#current + 1] = rate
    end
  end
  return current
end

-- Begins a period, unless this call has begun it before.
-- @rare
local function begin_period()
  local period, rates_now = math.floor(NOW / PERIOD), rates()
  local last = rates_now[#rates_now]
  if not last or last[1] < period then
    rates_now[#rates_now + 1] = {period, totals_now()}
    redis.call('HSET', META, 'period', period, 'rates', cmsgpack.pack(rates_now))
  end
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

-- These take the field `period` of META. When Redis is full the script must have written before, see `allow_when_full`.
local function count_claimed(period, worker, count)
  note_period(period)
  redis.call('HINCRBY', META, 'processed', count)
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
