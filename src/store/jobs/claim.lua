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
--         due, or now when more was skipped than one call may; nil for never, and when jobs were taken
--       3 whether the worker is to be entered in the list of workers: 1 once a minute
--       then for each receipt 'done', 'repeated', 'cancelled' or 'stale'
--       then for each job its fields, see add_job
--
-- @keys META, READY, DONE, DEAD, CANCELLED, WAKEUP, SEEN
-- @include clock, counts, ending, execution, job, lease, orphan, queue, ready, receipt, unique_key, wakeup

-- Notes that a worker was seen, about once a minute. Returns 1 when it is time to note that in the list of workers too.
local function note_seen_on_queue(worker)
  local last = worker ~= '' and redis.call('ZSCORE', SEEN, worker)
  if worker == '' or last and tonumber(last) > NOW - 60000 then
    return 0
  end
  redis.call('ZADD', SEEN, NOW, worker)
  redis.call('PEXPIRE', SEEN, 86400000)
  local overdue = redis.call('ZRANGE', SEEN, '-inf', NOW - 86400000, 'BYSCORE', 'LIMIT', 0, 100)
  if #overdue > 0 then
    redis.call('ZREM', SEEN, unpack(overdue))
  end
  return 1
end

-- @rare
local function ack_first(first, last, settings, reply)
  ack_all(first, last, settings, reply)
end

local max_jobs, lease, worker, max_bytes = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local wait, receipts = tonumber(ARGV[5]), tonumber(ARGV[6])
local status, packed_settings, waiting_until, generation, policy =
  unpack(redis.call('HMGET', META, 'status', 'settings', 'waiting-until', 'generation', 'policy'))
local settings = settings_of(packed_settings)
allow_when_full()

local reply = {NOW, false, note_seen_on_queue(worker)}
if receipts > 0 then
  ack_first(7, 6 + 2 * receipts, settings, reply)
end

local taken, may_have_more = 0, false
if status ~= '0' and max_jobs > 0 then
  local recovered = recover_ended_leases(settings)
  promote(math.max(100, max_jobs))
  taken, may_have_more = pop_ready(max_jobs, max_bytes, settings, function(id, options, packed, payload)
    local job_lease = lease_for(lease, options, settings)
    lease_out(id, options, worker, job_lease)
    add_job(reply, id, 'active', NOW + job_lease, packed, payload)
  end)
  if taken > 0 then
    count_claimed(worker, taken)
    -- As many as were recovered and are left; at least one where any are left, since a token may have got lost.
    if waiting_until and tonumber(waiting_until) > NOW and redis.call('ZCARD', READY) > 0 then
      wake(waiting_until, math.max(1, recovered - taken))
    end
  end
end

if taken == 0 then
  forget_overdue(DONE)
  forget_overdue(DEAD)
  forget_overdue(CANCELLED)
  release_overdue_unique_keys(100)
  if may_have_more then
    reply[2] = NOW
  elseif status ~= '0' then
    reply[2] = next_event() or false
  end
  if wait > 0 and not may_have_more then
    redis.call('UNLINK', WAKEUP)
    note_waiting(waiting_until, status, generation, policy, wait)
  end
end
return tell_orphans(reply)
