-- Legacy workers on queues that deliver at least once: each worker's receipts are kept for it, since it knows of none.
--
-- @keys LEGACY_RECEIPTS
-- @include counts, queue, receipt

-- The receipts of a worker.
local function legacy_receipts_of(worker)
  local packed = worker ~= '' and redis.call('HGET', LEGACY_RECEIPTS, worker)
  return packed and cmsgpack.unpack(packed) or {}
end

local function set_legacy_receipts(worker, receipts)
  redis.call('HSET', LEGACY_RECEIPTS, worker, cmsgpack.pack(receipts))
end

-- Removes the receipt of a job that its worker (which the execution names) has no more.
local function forget_legacy_receipt(id, execution)
  if not execution.legacy then
    return
  end
  local receipt, others = receipt_of(id, execution.claims), {}
  for _, other in ipairs(legacy_receipts_of(execution.worker)) do
    if other ~= receipt then
      others[#others + 1] = other
    end
  end
  if #others > 0 then
    set_legacy_receipts(execution.worker, others)
  else
    redis.call('HDEL', LEGACY_RECEIPTS, execution.worker)
  end
end

-- Acknowledges what a worker had: it has come back. Takes the field `settings` of META. Returns how many jobs are done by
-- that.
-- @rare
local function ack_legacy_receipts(worker, packed_settings)
  local receipts, retain, count = legacy_receipts_of(worker), settings_of(packed_settings).retain, 0
  for _, receipt in ipairs(receipts) do
    count = count + (ack(receipt, '', retain) == 'done' and 1 or 0)
  end
  if #receipts > 0 then
    redis.call('HDEL', LEGACY_RECEIPTS, worker)
  end
  return count
end

-- The same, and counts it. Takes the fields `settings` and `period` of META.
-- @rare
local function finish_legacy_receipts(worker, packed_settings, period)
  count_done(period, ack_legacy_receipts(worker, packed_settings))
end
