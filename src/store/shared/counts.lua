-- What a queue counts.

-- Counts for the rate of the last minute, in slices of ten seconds.
local SLICE, SLICES = 10000, 7

local function rate(kind, number)
  local slice = math.floor(NOW / SLICE)
  local count = redis.call('HINCRBY', RATES, kind .. ':' .. slice, number)
  if count == number then
    -- The first in its slice takes out the old ones.
    for _, field in ipairs(redis.call('HKEYS', RATES)) do
      if tonumber(string.match(field, '%d+$')) <= slice - SLICES then
        redis.call('HDEL', RATES, field)
      end
    end
  end
end

-- Counts for a worker, when it is registered on the queue.
local function count_for(counts, worker, number)
  if worker ~= '' and redis.call('HEXISTS', counts, worker) == 1 then
    redis.call('HINCRBY', counts, worker, number)
  end
end

local function count_claimed(worker, number)
  redis.call('HINCRBY', META, 'processed', number)
  rate('claimed', number)
  count_for(WORKERS, worker, number)
end

local function count_done(number)
  if number > 0 then
    redis.call('HINCRBY', META, 'done', number)
    rate('done', number)
  end
end

local function count_failed(worker)
  redis.call('HINCRBY', META, 'failed', 1)
  rate('failed', 1)
  count_for(FAILURES, worker, 1)
end
