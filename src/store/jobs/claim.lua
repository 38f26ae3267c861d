-- Claims the next jobs under a lease, after acknowledging others.
--
-- ARGV  1 how many jobs at most
--       2 lease in milliseconds, empty for the job's or the queue's
--       3 worker, empty for none
--       4 max_bytes: it stops after the job with which the payloads reach so many bytes
--       5 how many milliseconds the claim may wait when there is no job, 0 for not at all
--       6 how many receipts follow
--       then for each a receipt and a result (JSON text, empty for none)
-- Reply 1 the server's time in milliseconds
--       2 when there may be a job without an insert, in milliseconds: when the next lease ends or the next scheduled job is
--         due, or now when there is more than one call may skip or take in; nil for never, and when jobs were taken
--       3 whether the worker is to be entered in the list of workers: 1 once a minute
--       then for each receipt 'done', 'repeated', 'cancelled' or 'stale'
--       then for each job its fields, see add_job
--
-- @keys META, READY, DONE, DEAD, CANCELLED, WAKEUP, SEEN
-- @include clock, counts, ending, event, execution, job, lease, orphan, partition, queue, receipt, unique_key, wakeup

-- Notes that a worker was seen on the queue. Returns 1: it is time to note that in the list of workers too.
-- @rare
local function note_seen_on_queue(worker)
  allow_when_full()
  redis.call('ZADD', SEEN, NOW, worker)
  redis.call('PEXPIRE', SEEN, 86400000)
  local overdue = redis.call('ZRANGE', SEEN, '-inf', NOW - 86400000, 'BYSCORE', 'LIMIT', 0, 100)
  if #overdue > 0 then
    redis.call('ZREM', SEEN, unpack(overdue))
  end
  return 1
end

-- @rare
local function ack_first(last, packed_settings, period, reply)
  ack_all(7, last, settings_of(packed_settings).retain, period, reply)
end

-- There is no job: frees what is over its time, says when there may be one, and notes that somebody waits for it.
-- @rare
local function take_none(reply, may_have_more, wait, waiting_until, status, generation, policy)
  allow_when_full()
  forget_overdue(DONE)
  forget_overdue(DEAD)
  forget_overdue(CANCELLED)
  release_overdue_unique_keys(100)
  if may_have_more then
    reply[2] = NOW
  elseif status ~= '0' then
    reply[2] = first_event() or false
  end
  if wait > 0 and not may_have_more then
    redis.call('UNLINK', WAKEUP)
    note_waiting(waiting_until, status, generation, policy, wait)
  end
end

-- Jobs were taken. Wakes as many as came and are left; at least one where any are left, since a token may have got
-- lost.
-- @rare
local function wake_for_left(waiting_until, count)
  if redis.call('ZCARD', READY) > 0 then
    wake(waiting_until, math.max(1, count))
  end
end

local max_jobs, lease, worker, max_bytes = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local wait, receipts = tonumber(ARGV[5]), tonumber(ARGV[6])
local status, packed_settings, waiting_until, generation, policy, next_event, period, longest_wait =
  unpack(redis.call('HMGET', META, 'status', 'settings', 'waiting-until', 'generation', 'policy', 'next-event', 'period',
    'longest-wait'))

local reply = {NOW, false, 0}
local last_seen = worker ~= '' and redis.call('ZSCORE', SEEN, worker)
if worker ~= '' and not (last_seen and tonumber(last_seen) > NOW - 60000) then
  reply[3] = note_seen_on_queue(worker)
end
if receipts > 0 then
  ack_first(6 + 2 * receipts, packed_settings, period, reply)
end

local taken, may_have_more, wait_before, waited = 0, false, 0, nil
if status ~= '0' and max_jobs > 0 then
  local came, left, queue_lease, first_end = 0, nil, DEFAULT_LEASE, math.huge
  if packed_settings then
    queue_lease = settings_of(packed_settings).lease
  end
  if may_have_event(next_event) then
    came, left, next_event = handle_events(status, packed_settings, period, max_jobs)
  end
  if left == 'behind' then
    may_have_more = true
  else
    taken, may_have_more, wait_before, waited = pop_ready(max_jobs, max_bytes, packed_settings, function(job)
      local job_lease = lease_for(lease, job.options, queue_lease)
      local _, execution = lease_out(job, worker, job_lease)
      add_job(reply, job.id, 'active', NOW + job_lease, execution, job.packed, job.payload)
      first_end = math.min(first_end, NOW + job_lease)
    end)
  end
  if taken > 0 then
    count_claimed(period, longest_wait, worker, taken, wait_before, waited)
    note_event(next_event, first_end)
    if waiting_until and tonumber(waiting_until) > NOW then
      wake_for_left(waiting_until, came - taken)
    end
  end
end
if taken == 0 then
  take_none(reply, may_have_more, wait, waiting_until, status, generation, policy)
end
return tell_layout(packed_settings, tell_orphans(reply))
