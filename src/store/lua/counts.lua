-- What a queue counts.
--
-- @keys META, RATES, WORKER_COUNTS, WORKER_FAILURES
-- @include clock

-- Rates are counted in slices of ten seconds, and kept for a minute.
local SLICE, SLICES = 10000, 7

local function count_rate(kind, count)
  local slice = math.floor(NOW / SLICE)
  local total = redis.call('HINCRBY', RATES, kind .. ':' .. slice, count)
  if total == count then
    -- The first count in a slice removes the old slices. When no other comes, all go.
    redis.call('PEXPIRE', RATES, SLICE * (SLICES + 1))
    for _, field in ipairs(redis.call('HKEYS', RATES)) do
      if tonumber(string.match(field, '%d+$')) <= slice - SLICES then
        redis.call('HDEL', RATES, field)
      end
    end
  end
end

-- Counts for a legacy worker, when it is registered on the queue.
local function count_for_worker(counter_key, worker, count)
  if worker ~= '' and redis.call('HEXISTS', counter_key, worker) == 1 then
    redis.call('HINCRBY', counter_key, worker, count)
  end
end

local function count_claimed(worker, count)
  redis.call('HINCRBY', META, 'processed', count)
  count_rate('claimed', count)
  count_for_worker(WORKER_COUNTS, worker, count)
end

local function count_done(count)
  if count > 0 then
    redis.call('HINCRBY', META, 'done', count)
    count_rate('done', count)
  end
end

local function count_failed(worker)
  redis.call('HINCRBY', META, 'failed', 1)
  count_rate('failed', 1)
  count_for_worker(WORKER_FAILURES, worker, 1)
end
