-- Leases: how jobs are handed out, and come back.
--
-- @keys READY, ACTIVE, META
-- @include clock, counts, ending, execution, job, legacy_worker, orphan, ready, receipt, unique_key

-- How many leases that have ended are recovered in one call, and how many jobs are skipped.
local MAX_RECOVERED, MAX_SKIPPED = 100, 100

-- Makes a job active under a lease (ms). `is_legacy`: a legacy worker gets the receipt. `distribution`: the job goes
-- to subscribers, see delivery.lua. Returns the receipt.
local function lease_out(id, options, worker, lease, is_legacy, distribution)
  local execution = load_execution(id)
  execution.legacy, execution.distribution = is_legacy, distribution
  execution.claims, execution.worker = execution.claims + 1, worker
  execution.claimed, execution.lease = NOW, lease
  execution.rules = execution.rules or rules_in(options)
  if not options.unique_scope then
    release_unique_key(id, options.unique)
  end
  save_execution(id, execution)
  redis.call('ZADD', ACTIVE, NOW + lease, id)
  return receipt_of(id, execution.claims)
end

-- Takes back jobs whose lease has ended: each is ready again, or has ended. Returns how many are ready again.
-- @rare
local function recover(ids, settings)
  local ready, lost, done = 0, 0, 0
  for _, id in ipairs(ids) do
    local execution = load_execution(id)
    local distribution = execution.distribution
    redis.call('ZREM', ACTIVE, id)
    forget_legacy_receipt(id, execution)
    if not distribution then
      execution.lost_leases, lost = execution.lost_leases + 1, lost + 1
    end
    if distribution and distribution.sent then
      -- One subscriber got it before all others were gone.
      complete(id, execution, settings)
      done = done + 1
    elseif not distribution and is_out_of_leases(execution.lost_leases, settings) then
      bury(id, rules_of(id, execution), execution, settings, 'lost-leases')
    else
      save_execution(id, execution)
      make_ready(id)
      ready = ready + 1
    end
  end
  count_done(done)
  if lost > 0 then
    redis.call('HINCRBY', META, 'lost-leases', lost)
  end
  return ready
end

-- Takes back the first jobs whose lease has ended. Returns how many are ready again, and whether there may be more.
local function recover_ended_leases(settings)
  local ended = redis.call('ZRANGE', ACTIVE, '-inf', NOW, 'BYSCORE', 'LIMIT', 0, MAX_RECOVERED)
  return #ended > 0 and recover(ended, settings) or 0, #ended == MAX_RECOVERED
end

-- Ends ready jobs that cannot be handed out: each has expired, or is an orphan. They are in no set any more.
-- @rare
local function end_skipped(jobs, settings)
  for _, job in ipairs(jobs) do
    if job.packed then
      bury(job.id, job.options, job.execution, settings, 'expired')
    else
      drop_orphan(READY, job.id)
    end
  end
end

-- Takes the next ready jobs, and calls `hand_out(id, options, packed, payload)` for each. Stops after `max_jobs`, or after
-- the job with which the payloads reach `max_bytes`, those of expired jobs included. Returns how many were handed out, and
-- whether more may be ready behind the jobs that it skipped: those that have expired, and orphans.
--
-- All of them are read before the first is taken out: then a record that cannot be read costs no other job.
local function pop_ready(max_jobs, max_bytes, settings, hand_out)
  local jobs, skipped, count, limit = {}, {}, 0, max_jobs
  local is_over
  repeat
    local ids = redis.call('ZRANGE', READY, count, count + limit - 1)
    is_over = #ids < limit and 'empty'
    for _, id in ipairs(ids) do
      count = count + 1
      local job = {id = id}
      job.packed, job.payload = read_record(id)
      if job.packed then
        job.options = unpack_options(job.packed)
        job.execution = job.options.expires and load_execution(id)
        max_bytes = max_bytes - #job.payload
      end
      if not job.packed or job.execution and has_expired(id, job.options, job.execution) then
        skipped[#skipped + 1] = job
      else
        jobs[#jobs + 1] = job
      end
      if #jobs == max_jobs or max_bytes <= 0 or #skipped == MAX_SKIPPED then
        is_over = 'stopped'
        break
      end
    end
    limit = MAX_SKIPPED
  until is_over

  if count > 0 then
    redis.call('ZREMRANGEBYRANK', READY, 0, count - 1)
  end
  if #skipped > 0 then
    end_skipped(skipped, settings)
  end
  for _, job in ipairs(jobs) do
    hand_out(job.id, job.options, job.packed, job.payload)
  end
  return #jobs, is_over == 'stopped' and #skipped > 0
end
