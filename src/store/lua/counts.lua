-- What a queue counts.
--
-- @keys META, RATES, WORKER_COUNTS, WORKER_FAILURES
-- @include clock

-- Rates are counted in slices of ten seconds, and kept for a minute.
local SLICE, SLICES = 10000, 7

local function count_rate(kind, number)
  local slice = math.floor(NOW / SLICE)
  local count = redis.call('HINCRBY', RATES, kind .. ':' .. slice, number)
  if count == number then
    -- The first count in a slice removes the old slices.
    for _, field in ipairs(redis.call('HKEYS', RATES)) do
      if tonumber(string.match(field, '%d+$')) <= slice - SLICES then
        redis.call('HDEL', RATES, field)
      end
    end
  end
end

-- Counts for a legacy worker, when it is registered on the queue.
local function count_for_worker(counts, worker, number)
  if worker ~= '' and redis.call('HEXISTS', counts, worker) == 1 then
    redis.call('HINCRBY', counts, worker, number)
  end
end

local function count_claimed(worker, number)
  redis.call('HINCRBY', META, 'processed', number)
  count_rate('claimed', number)
  count_for_worker(WORKER_COUNTS, worker, number)
end

local function count_done(number)
  if number > 0 then
    redis.call('HINCRBY', META, 'done', number)
    count_rate('done', number)
  end
end

local function count_failed(worker)
  redis.call('HINCRBY', META, 'failed', 1)
  count_rate('failed', 1)
  count_for_worker(WORKER_FAILURES, worker, 1)
end
