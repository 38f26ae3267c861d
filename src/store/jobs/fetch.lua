-- Takes the next jobs for good, as legacy workers do: they leave the queue. Where the queue delivers at least once, a worker
-- that names itself gets them under a lease, and what it had before is acknowledged.
--
-- ARGV  1 how many jobs at most, 0 only acknowledges
--       2 worker, empty for none
--       3 max_bytes: it stops after the job with which the payloads reach so many bytes
-- Reply 1 outcome: 'jobs' or 'stopped'
--       2 1 when there may be jobs behind what one call may skip or take in: run the script again
--       3… the payloads, with 'jobs'; none when there is no job
--
-- @promises nothing
-- @keys META
-- @include clock, counts, event, execution, lease, legacy_worker, orphan, partition, queue

-- Takes jobs under a lease. Returns what pop_ready does.
-- @rare
local function take_leased(max_jobs, max_bytes, worker, packed_settings, next_event, reply)
  local settings, receipts, first_end = settings_of(packed_settings), {}, math.huge
  local taken, may_have_more, wait, waited = pop_ready(max_jobs, max_bytes, packed_settings, function(job)
    local lease = lease_for(nil, job.options, settings.lease)
    receipts[#receipts + 1] = lease_out(job, worker, lease, true)
    first_end = math.min(first_end, NOW + lease)
    reply[#reply + 1] = job.payload
  end)
  if taken > 0 then
    set_legacy_receipts(worker, receipts)
    note_event(next_event, first_end)
  end
  return taken, may_have_more, wait, waited
end

local max_jobs, worker, max_bytes = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local status, packed_settings, next_event, period, longest_wait =
  unpack(redis.call('HMGET', META, 'status', 'settings', 'next-event', 'period', 'longest-wait'))
-- Done even where at-least-once delivery has been switched off since: receipts may be left.
if worker ~= '' then
  finish_legacy_receipts(worker, packed_settings, period)
end
if status == '0' or max_jobs == 0 then
  return tell_layout(packed_settings, {status == '0' and 'stopped' or 'jobs', 0})
end
local _, left
if may_have_event(next_event) then
  _, left, next_event = handle_events(status, packed_settings, period, max_jobs)
  if left == 'behind' then
    return tell_layout(packed_settings, {'jobs', 1})
  end
end

local reply = {'jobs', 0}
local taken, may_have_more, wait, waited
if worker ~= '' and packed_settings and settings_of(packed_settings).is_legacy_leased then
  taken, may_have_more, wait, waited = take_leased(max_jobs, max_bytes, worker, packed_settings, next_event, reply)
else
  taken, may_have_more, wait, waited = pop_ready(max_jobs, max_bytes, packed_settings, function(job)
    hand_out_for_good(job)
    reply[#reply + 1] = job.payload
  end)
end
if taken > 0 then
  count_claimed(period, longest_wait, worker, taken, wait, waited)
elseif may_have_more or left then
  reply[2] = 1
end
return tell_layout(packed_settings, tell_orphans(reply))
