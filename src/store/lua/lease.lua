-- Leases: how jobs are handed out, and come back.
--
-- @keys JOBS, READY, ACTIVE, META
-- @include clock, counts, ending, execution, job, legacy_worker, ready, receipt, unique_key

-- How many leases that have ended are recovered in one call, and how many expired jobs are skipped.
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

-- Takes back the first jobs whose lease has ended: each is ready again, or dead. Returns how many are ready again.
local function recover_ended_leases(settings)
  local ready, lost, done = 0, 0, 0
  local ended = redis.call('ZRANGE', ACTIVE, '-inf', NOW, 'BYSCORE', 'LIMIT', 0, MAX_RECOVERED)
  for _, id in ipairs(ended) do
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

-- Takes the next ready jobs, and calls `hand_out(id, options, packed, payload)` for each. Stops after `max_jobs`, or after
-- the job with which the payloads reach `max_bytes`, those of expired jobs included. Returns how many were handed out, and
-- whether more may be ready behind the expired jobs that it skipped.
local function pop_ready(max_jobs, max_bytes, settings, hand_out)
  local taken, skipped = 0, 0
  while taken < max_jobs and max_bytes > 0 and skipped < MAX_SKIPPED do
    local id = redis.call('ZPOPMIN', READY)[1]
    if not id then
      return taken, false
    end
    local packed, payload = decode(redis.call('HGET', JOBS, id))
    local options = unpack_options(packed)
    local execution = options.expires and load_execution(id)
    if execution and has_expired(id, options, execution) then
      bury(id, options, execution, settings, 'expired')
      skipped = skipped + 1
    else
      hand_out(id, options, packed, payload)
      taken = taken + 1
    end
    max_bytes = max_bytes - #payload
  end
  return taken, skipped > 0
end
