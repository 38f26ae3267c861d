-- Makes the jobs ready again that a legacy worker has under a lease: it never got them, or could not say that it failed. They
-- count as lost leases.
--
-- ARGV  1 worker
-- Reply 1 how many jobs are ready again
--
-- @keys META, ACTIVE, LEGACY_RECEIPTS
-- @include execution, legacy_worker, ready, receipt, wakeup

local worker, number = ARGV[1], 0
for _, receipt in ipairs(legacy_receipts_of(worker)) do
  local id, execution = find_active(receipt)
  if id then
    redis.call('ZREM', ACTIVE, id)
    execution.lost = execution.lost + 1
    save_execution(id, execution)
    make_ready(id)
    number = number + 1
  end
end
redis.call('HDEL', LEGACY_RECEIPTS, worker)
if number > 0 then
  redis.call('HINCRBY', META, 'lost', number)
  wake(redis.call('HGET', META, 'waiting'), number)
end
return {number}
