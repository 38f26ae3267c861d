-- What a queue counts.
--
-- @keys META, WORKER_COUNTS, WORKER_FAILURES
-- @include clock

-- Rates are told in slices of ten seconds, of the last minute. The field `rates` of META has, for each slice in which something
-- was counted, what had been counted when it began; so rates cost a call nothing, but the first in a slice. The field `slice`
-- is the last of them.
local SLICE, SLICES = 10000, 7

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

-- The slices of the last minute, oldest first: each a table of its number and what had been counted when it began.
local function rates()
  local packed, current = redis.call('HGET', META, 'rates'), {}
  for _, rate in ipairs(packed and cmsgpack.unpack(packed) or {}) do
    if rate[1] > math.floor(NOW / SLICE) - SLICES then
      current[#current + 1] = rate
    end
  end
  return current
end

-- Begins a slice, unless this call has begun it before.
-- @rare
local function begin_slice()
  local slice, rates_now = math.floor(NOW / SLICE), rates()
  local last = rates_now[#rates_now]
  if not last or last[1] < slice then
    rates_now[#rates_now + 1] = {slice, totals_now()}
    redis.call('HSET', META, 'slice', slice, 'rates', cmsgpack.pack(rates_now))
  end
end

-- To be called before anything is counted. Takes the field `slice` of META.
local function note_slice(slice)
  if not slice or NOW >= (slice + 1) * SLICE then
    begin_slice()
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

-- These take the field `slice` of META. When Redis is full the script must have written before, see `allow_when_full`.
local function count_claimed(slice, worker, count)
  note_slice(slice)
  redis.call('HINCRBY', META, 'processed', count)
  if worker ~= '' then
    count_claimed_by(worker, count)
  end
end

local function count_done(slice, count)
  if count > 0 then
    note_slice(slice)
    redis.call('HINCRBY', META, 'done', count)
  end
end

local function count_failed(slice, worker)
  note_slice(slice)
  redis.call('HINCRBY', META, 'failed', 1)
  if worker ~= '' then
    count_failed_by(worker)
  end
end
