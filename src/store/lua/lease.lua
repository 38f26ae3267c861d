-- Leases: how jobs are handed out, and come back.
--
-- @keys JOBS, READY, ACTIVE
-- @include batch, clock, counts, ending, event, execution, job, legacy_worker, orphan, queue, ready, receipt, unique_key, waits

-- How many leases that have ended are recovered in one call, and how many jobs are skipped.
local MAX_RECOVERED, MAX_SKIPPED = 100, 100

-- Makes a ready job active under a lease (ms). `job` as pop_ready has it. `is_legacy`: a legacy worker gets the receipt.
-- `distribution`: the job goes to subscribers, see delivery.lua. Returns its receipt and its packed execution.
local function lease_out(job, worker, lease, is_legacy, distribution)
  local id, execution = job.id, job.execution
  execution.legacy, execution.distribution = is_legacy, distribution
  execution.claims, execution.worker = execution.claims + 1, worker
  execution.claimed, execution.lease = NOW, lease
  execution.rules = execution.rules or rules_in(job.options)
  if job.options.unique and not job.options.unique_scope then
    release_unique_key(id, job.options.unique)
  end
  local packed = save_execution(id, execution, job.is_compact and encode('', job.payload))
  redis.call('ZADD', ACTIVE, NOW + lease, id)
  return receipt_of(id, execution.claims), packed
end

-- Forgets a ready job that is handed out for good.
local function hand_out_for_good(job)
  if job.options.unique then
    release_at_end(job.id, job.options)
  end
  if not job.is_compact then
    forget(job.id)
  end
end

-- Takes back jobs whose lease has ended: each is ready again, or has ended. Returns how many are ready again.
-- @rare
local function recover(ids, settings, period)
  local ready, lost, done = 0, 0, 0
  for _, id in ipairs(ids) do
    local execution = load_execution(id)
    local distribution, rules = execution.distribution, rules_of(id, execution)
    redis.call('ZREM', ACTIVE, id)
    forget_legacy_receipt(id, execution)
    if not distribution then
      execution.lost_leases, lost = execution.lost_leases + 1, lost + 1
    end
    if distribution and distribution.sent then
      -- One subscriber got it before all others were gone.
      complete(id, execution, settings.retain)
      done = done + 1
    elseif not distribution and is_out_of_leases(execution.lost_leases, settings) then
      bury(id, rules, execution, settings, 'lost-leases')
    else
      save_execution(id, execution)
      make_ready(id)
      ready = ready + 1
    end
  end
  count_done(period, done)
  count_lost_leases(period, lost)
  return ready
end

-- Takes back the first jobs whose lease has ended, and lets in what is to be handed out, at most about so many jobs. Takes the
-- fields `status`, `settings` and `period` of META. Returns how many jobs are ready by that; 'more' when there may be more whose
-- lease has ended, 'behind' when nothing may be handed out before this was called again; and what the field `next-event` of META
-- is then.
-- @rare
local function handle_events(status, packed_settings, period, max_jobs)
  allow_when_full()
  local ended = redis.call('ZRANGE', ACTIVE, '-inf', NOW, 'BYSCORE', 'LIMIT', 0, MAX_RECOVERED)
  local recovered = #ended > 0 and recover(ended, settings_of(packed_settings), period) or 0
  local taken_in, is_behind = let_in(math.max(100, max_jobs))
  local left = is_behind and 'behind' or #ended == MAX_RECOVERED and 'more' or nil
  -- A queue that does not exist has no META, and does not get one by this.
  return recovered + taken_in, left, status and note_first_event()
end

-- Ends ready jobs that cannot be handed out: each has expired, or is an orphan. They are in no set any more.
-- @rare
local function end_skipped(jobs, packed_settings)
  local settings = settings_of(packed_settings)
  for _, job in ipairs(jobs) do
    if job.payload then
      bury(job.id, job.options, job.execution, settings, 'expired')
    else
      drop_orphan(READY, job.id)
    end
  end
end

-- Of jobs among the first ready ones, which are so many: the fields that count how long they were ready, and how many each counts.
-- @rare
local function count_waits(jobs, count)
  local all, since, counts = redis.call('ZRANGE', READY, 0, count - 1, 'WITHSCORES'), {}, {}
  for i = 1, #all, 2 do
    since[id_in(all[i])] = ready_since(all[i], tonumber(all[i + 1]))
  end
  for _, job in ipairs(jobs) do
    local field = waited_field(NOW - since[job.id])
    counts[field] = (counts[field] or 0) + 1
  end
  return counts
end

-- Takes the next ready jobs, and calls `hand_out` for each with a table: `id`, `options`, `packed` (the same, packed),
-- `payload`, `execution`, `is_compact`. Stops after `max_jobs`, or after the job with which the
-- payloads reach `max_bytes`, those of expired jobs included. Returns how many were handed out; whether more may be ready
-- behind the jobs that it skipped: those that have expired, and orphans; the longest time (ms) that one of the jobs which it
-- read was ready; and what counts how long they all were, see `count_claimed`.
--
-- All of them are read before the first is taken out: what cannot be read costs no other job.
local function pop_ready(max_jobs, max_bytes, packed_settings, hand_out)
  local jobs, skipped, count, limit = {}, nil, 0, max_jobs
  local is_over, oldest, newest = nil, NOW, 0
  repeat
    local members, since, last_since = read_ready(count, limit)
    oldest, newest = math.min(oldest, since), math.max(newest, last_since)
    is_over = #members < limit and 'empty'
    for _, member in ipairs(members) do
      count = count + 1
      local job, payload = nil, payload_in(member)
      if payload then
        job = {id = id_in(member), options = {}, packed = '', payload = payload, is_compact = true}
        job.execution = unpack_execution(false)
      else
        local record, execution = unpack(redis.call('HMGET', JOBS, member, execution_field(member)))
        job = {id = member, execution = unpack_execution(execution)}
        if record then
          job.packed, job.payload = decode(record)
          job.options = unpack_options(job.packed)
        end
      end
      max_bytes = max_bytes - #(job.payload or '')
      if not job.payload or job.options.expires and has_expired(job.id, job.options, job.execution) then
        skipped = skipped or {}
        skipped[#skipped + 1] = job
      else
        jobs[#jobs + 1] = job
      end
      if #jobs == max_jobs or max_bytes <= 0 or skipped and #skipped == MAX_SKIPPED then
        is_over = 'stopped'
        break
      end
    end
    limit = MAX_SKIPPED
  until is_over

  local waited = waited_field(NOW - oldest)
  if newest > oldest and waited_field(NOW - newest) ~= waited then
    waited = count_waits(jobs, count)
  end
  if count > 0 then
    redis.call('ZREMRANGEBYRANK', READY, 0, count - 1)
  end
  if skipped then
    end_skipped(skipped, packed_settings)
  end
  for _, job in ipairs(jobs) do
    hand_out(job)
  end
  return #jobs, is_over == 'stopped' and skipped ~= nil, NOW - oldest, waited
end
