-- Receipts: a job's id and the number of the claim that the receipt is for.
--
-- @keys EXECUTIONS, ACTIVE, CANCELLED, FINISHED_RECEIPTS
-- @include clock, counts, ending

local function receipt_of(id, claim)
  return id .. '-' .. claim
end

-- The id and the execution of the job that a receipt is for, when the job was not claimed again since; else nil.
local function find_claimed(receipt)
  local id, claim = string.match(receipt, '^(%x+)-(%d+)$')
  local packed = id and redis.call('HGET', EXECUTIONS, id)
  local execution = packed and cmsgpack.unpack(packed)
  if execution and execution.claims == tonumber(claim) then
    return id, execution
  end
end

-- The id, the execution and the end of the lease (ms) of the active job that a receipt is for; nil when the receipt is not
-- good any more.
local function find_active(receipt)
  local id, execution = find_claimed(receipt)
  local lease_end = id and redis.call('ZSCORE', ACTIVE, id)
  if lease_end then
    return id, execution, tonumber(lease_end)
  end
end

-- Why a receipt is not good: 'cancelled', or 'stale' for anything else.
local function why_not_active(receipt)
  local id = find_claimed(receipt)
  local kept_until = id and redis.call('ZSCORE', CANCELLED, id)
  return kept_until and tonumber(kept_until) > NOW and 'cancelled' or 'stale'
end

-- How long a finished receipt is remembered (ms), and how many of a queue are.
local FINISHED_TTL, MAX_FINISHED = 600000, 100000

-- Whether a receipt was finished in this way before: '+' by an ack, '-' by a nack.
local function was_finished(receipt, how)
  local at = redis.call('ZSCORE', FINISHED_RECEIPTS, receipt .. how)
  return at and tonumber(at) > NOW - FINISHED_TTL
end

-- Remembers a finished receipt, so that the request may be repeated when its answer was lost. Each call removes up to two
-- that are overdue, or the two oldest when there are too many.
local function remember_finished(receipt, how)
  redis.call('ZADD', FINISHED_RECEIPTS, NOW, receipt .. how)
  redis.call('PEXPIRE', FINISHED_RECEIPTS, FINISHED_TTL)
  local first = redis.call('ZRANGE', FINISHED_RECEIPTS, 0, 1, 'WITHSCORES')
  local is_over = redis.call('ZCARD', FINISHED_RECEIPTS) > MAX_FINISHED
  for i = 1, #first, 2 do
    if is_over or tonumber(first[i + 1]) <= NOW - FINISHED_TTL then
      redis.call('ZREM', FINISHED_RECEIPTS, first[i])
    end
  end
end

-- Acknowledges a job. Returns 'done', which the caller counts; 'repeated', 'cancelled' or 'stale'.
local function ack(receipt, result, settings)
  local id, execution = find_active(receipt)
  if not id then
    return was_finished(receipt, '+') and 'repeated' or why_not_active(receipt)
  end
  redis.call('ZREM', ACTIVE, id)
  if result ~= '' then
    execution.result = result
  end
  complete(id, execution, settings)
  remember_finished(receipt, '+')
  return 'done'
end

-- Acknowledges the receipts and results that ARGV has from `first` to `last`, and appends what became of each to a reply.
local function ack_all(first, last, settings, reply)
  local count = 0
  for i = first, last, 2 do
    local outcome = ack(ARGV[i], ARGV[i + 1], settings)
    reply[#reply + 1] = outcome
    count = count + (outcome == 'done' and 1 or 0)
  end
  count_done(count)
end
