-- Takes the next jobs for good, as legacy workers do: they leave the queue. Where the queue delivers at least once, a worker
-- that names itself gets them under a lease, and what it had before is acknowledged.
--
-- ARGV  1 how many jobs at most
--       2 worker, empty for none
--       3 max_bytes: it stops after the job with which the payloads reach so many bytes
-- Reply 1 outcome: 'jobs' or 'stopped'
--       2 1 when only jobs were met that had expired or died: run the script again
--       3… the payloads, with 'jobs'; none when there is no job
--
-- @keys META, LEGACY_RECEIPTS
-- @include counts, execution, job, lease, legacy_worker, orphan, queue, ready, unique_key

local max_jobs, worker, max_bytes = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local status, packed_settings = unpack(redis.call('HMGET', META, 'status', 'settings'))
local settings = settings_of(packed_settings)
local is_leased = settings.is_legacy_leased and worker ~= ''
-- Done even where at-least-once delivery has been switched off since: receipts may be left.
if worker ~= '' then
  count_done(ack_legacy_receipts(worker, settings))
end
if status == '0' then
  return {'stopped', 0}
end

local _, may_have_ended = recover_ended_leases(settings)
promote(math.max(100, max_jobs))

local reply, receipts = {'jobs', 0}, {}
local taken, may_have_more = pop_ready(max_jobs, max_bytes, settings, function(id, options, _, payload)
  reply[#reply + 1] = payload
  if is_leased then
    receipts[#receipts + 1] = lease_out(id, options, worker, lease_for(nil, options, settings), true)
  else
    release_unique_key(id, key_released_at_end(options))
    forget(id)
  end
end)
if #receipts > 0 then
  redis.call('HSET', LEGACY_RECEIPTS, worker, table.concat(receipts, ' '))
end
if taken > 0 then
  count_claimed(worker, taken)
elseif may_have_more or may_have_ended then
  reply[2] = 1
end
return tell_orphans(reply)
