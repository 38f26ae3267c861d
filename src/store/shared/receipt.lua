-- Receipts: a job's id, and the number of the hand-out that each is for.

local function receipt_of(id, claim)
  return id .. '-' .. claim
end

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
  redis.call('PEXPIRE', SETTLED, SETTLED_TIME)
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
  local until_ = redis.call('ZSCORE', CANCELLED, id)
  return nil, until_ and tonumber(until_) > NOW and 'cancelled' or 'stale'
end
