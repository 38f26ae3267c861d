-- Ends a legacy worker's leases early, since it never got the jobs, or could not say that it failed. The jobs are ready
-- again, and count as lost leases.
--
-- ARGV  1 worker
-- Reply 1 how many jobs are ready again
--
-- @keys META, ACTIVE, LEGACY_RECEIPTS
-- @include execution, legacy_worker, partition, ready, receipt, wakeup

local worker, count = ARGV[1], 0
for _, receipt in ipairs(legacy_receipts_of(worker)) do
  local id, execution = find_active(receipt)
  if id then
    redis.call('ZREM', ACTIVE, id)
    execution.lost_leases = execution.lost_leases + 1
    save_execution(id, execution)
    make_ready(id)
    count = count + 1
  end
end
redis.call('HDEL', LEGACY_RECEIPTS, worker)
if count > 0 then
  redis.call('HINCRBY', META, 'lost-leases', count)
  wake(redis.call('HGET', META, 'waiting-until'), count)
end
return tell_layout(redis.call('HGET', META, 'settings'), {count})
