-- Legacy workers on queues that deliver at least once: each worker's receipts are kept for it, since it knows of none.
--
-- @keys LEGACY_RECEIPTS
-- @include receipt

-- The receipts of a worker.
local function legacy_receipts_of(worker)
  local kept = worker ~= '' and redis.call('HGET', LEGACY_RECEIPTS, worker)
  local receipts = {}
  for receipt in string.gmatch(kept or '', '%S+') do
    receipts[#receipts + 1] = receipt
  end
  return receipts
end

-- Removes the receipt of a job that its worker (which the execution names) has no more.
local function forget_legacy_receipt(id, execution)
  local kept = execution.legacy and redis.call('HGET', LEGACY_RECEIPTS, execution.worker)
  if not kept then
    return
  end
  local receipt, others = receipt_of(id, execution.claims), {}
  for other in string.gmatch(kept, '%S+') do
    if other ~= receipt then
      others[#others + 1] = other
    end
  end
  if #others == 0 then
    redis.call('HDEL', LEGACY_RECEIPTS, execution.worker)
  else
    redis.call('HSET', LEGACY_RECEIPTS, execution.worker, table.concat(others, ' '))
  end
end

-- Acknowledges the receipts of a worker.
-- @rare
local function ack_all_legacy_receipts(worker, settings)
  local count = 0
  for _, receipt in ipairs(legacy_receipts_of(worker)) do
    count = count + (ack(receipt, '', settings) == 'done' and 1 or 0)
  end
  redis.call('HDEL', LEGACY_RECEIPTS, worker)
  return count
end

-- Acknowledges what a worker had: it has come back. Returns how many jobs are done by that.
local function ack_legacy_receipts(worker, settings)
  if worker == '' or redis.call('HEXISTS', LEGACY_RECEIPTS, worker) == 0 then
    return 0
  end
  return ack_all_legacy_receipts(worker, settings)
end
