-- Receipts: a job's id and the number of the claim that the receipt is for, in decimal digits.
--
-- @keys JOBS, ACTIVE, CANCELLED, FINISHED_RECEIPTS
-- @include clock, counts, ending, job

local function receipt_of(id, claim)
  return id .. claim
end

-- The id and the execution of the job that a receipt is for, when the job was not claimed again since; else nil.
local function find_claimed(receipt)
  local id = string.sub(receipt, 1, ID_LENGTH)
  local packed = redis.call('HGET', JOBS, execution_field(id))
  local execution = packed and cmsgpack.unpack(packed)
  if execution and execution.claims == tonumber(string.sub(receipt, ID_LENGTH + 1)) then
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

-- Forgets finished receipts that are overdue, and the oldest when there are too many. One receipt in this many does it, of
-- which each frees more than so many.
local FINISHED_PER_SWEEP, MAX_SWEPT = 32, 100

-- @rare
local function sweep_finished()
  local overdue = redis.call('ZRANGE', FINISHED_RECEIPTS, '-inf', NOW - FINISHED_TTL, 'BYSCORE', 'LIMIT', 0, MAX_SWEPT)
  local excess = redis.call('ZCARD', FINISHED_RECEIPTS) - MAX_FINISHED
  local count = math.min(MAX_SWEPT, math.max(#overdue, excess))
  if count > 0 then
    redis.call('ZREMRANGEBYRANK', FINISHED_RECEIPTS, 0, count - 1)
  end
end

-- Remembers a finished receipt, so that the request may be repeated when its answer was lost.
local function remember_finished(id, receipt, how)
  redis.call('ZADD', FINISHED_RECEIPTS, NOW, receipt .. how)
  redis.call('PEXPIRE', FINISHED_RECEIPTS, FINISHED_TTL)
  if number_of(id) % FINISHED_PER_SWEEP == 0 then
    sweep_finished()
  end
end

-- What an acknowledgement of a job that is not active comes to.
-- @rare
local function ack_inactive(receipt)
  return was_finished(receipt, '+') and 'repeated' or why_not_active(receipt)
end

-- Acknowledges a job. `retain` is how long it is kept (ms), a setting. Returns 'done', which the caller counts; 'repeated',
-- 'cancelled' or 'stale'.
local function ack(receipt, result, retain)
  local id, execution = find_claimed(receipt)
  if not id or redis.call('ZREM', ACTIVE, id) == 0 then
    return ack_inactive(receipt)
  end
  if result ~= '' then
    execution.result = result
  end
  complete(id, execution, retain)
  remember_finished(id, receipt, '+')
  return 'done'
end

-- Acknowledges the receipts and results that ARGV has from `first` to `last`, and appends what became of each to a reply.
-- Takes the field `period` of META.
local function ack_all(first, last, retain, period, reply)
  local count = 0
  for i = first, last, 2 do
    local outcome = ack(ARGV[i], ARGV[i + 1], retain)
    reply[#reply + 1] = outcome
    count = count + (outcome == 'done' and 1 or 0)
  end
  count_done(period, count)
end
