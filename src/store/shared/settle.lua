-- What is done with a receipt.

-- How long a finished receipt is known, and how many of a queue are.
local SETTLED_TIME, MOST_SETTLED = 600000, 100000

-- Whether this receipt was settled so before.
local function was_settled(receipt, how)
  local at = redis.call('ZSCORE', SETTLED, receipt .. how)
  return at and tonumber(at) > NOW - SETTLED_TIME
end

-- Remembers a receipt that was settled, so that it may be sent again when the answer was lost. Each one takes out up to
-- two that are over their time.
local function remember(receipt, how)
  redis.call('ZADD', SETTLED, NOW, receipt .. how)
  local first = redis.call('ZRANGE', SETTLED, 0, 1, 'WITHSCORES')
  local over = redis.call('ZCARD', SETTLED) > MOST_SETTLED
  for i = 1, #first, 2 do
    if over or tonumber(first[i + 1]) <= NOW - SETTLED_TIME then
      redis.call('ZREM', SETTLED, first[i])
    end
  end
end

-- Looks whether a receipt is good. Gives the job's run and the end of its lease; or nil and why not: 'cancelled', or
-- 'stale' for any other.
local function holding(receipt)
  local id, claim = string.match(receipt, '^(%x+)-(%d+)$')
  local run = id and redis.call('HGET', RUNS, id)
  run = run and cmsgpack.unpack(run)
  if not run or run.claims ~= tonumber(claim) then
    return nil, 'stale'
  end
  local lease_end = redis.call('ZSCORE', ACTIVE, id)
  if lease_end then
    return run, id, tonumber(lease_end)
  end
  return nil, redis.call('ZSCORE', CANCELLED, id) and 'cancelled' or 'stale'
end

-- Acknowledges a job. Gives 'done', which is to be counted; 'repeated', 'cancelled' or 'stale'.
local function ack(receipt, result, settings)
  local run, id = holding(receipt)
  if not run then
    return was_settled(receipt, '+') and 'repeated' or id
  end
  redis.call('ZREM', ACTIVE, id)
  if result ~= '' then
    run.result = result
  end
  done(id, run, settings)
  remember(receipt, '+')
  return 'done'
end

-- Acknowledges the receipts and results that ARGV has from `first` to `last`, and adds what became of each to a reply.
local function ack_all(first, last, settings, reply)
  local number = 0
  for i = first, last, 2 do
    local outcome = ack(ARGV[i], ARGV[i + 1], settings)
    reply[#reply + 1] = outcome
    number = number + (outcome == 'done' and 1 or 0)
  end
  count_done(number)
end
