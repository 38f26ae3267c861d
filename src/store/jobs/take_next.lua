-- Takes the next job for good: it leaves the queue, whether or not that is stopped.
--
-- ARGV  1 max_bytes: it stops after the expired job with which their payloads reach so many bytes
-- Reply 1 1 when there may be jobs behind what one call may skip or take in: run the script again
--       then, where there was one
--       2 id
--       3 payload
--       4 is_text: 1 or 0
--
-- @promises nothing
-- @keys META
-- @include counts, event, lease, orphan, partition

local status, packed_settings, next_event, period, longest_wait =
  unpack(redis.call('HMGET', META, 'status', 'settings', 'next-event', 'period', 'longest-wait'))
local _, left
if may_have_event(next_event) then
  _, left = handle_events(status, packed_settings, period, 1)
  if left == 'behind' then
    return tell_layout(packed_settings, {1})
  end
end

local reply = {0}
local taken, may_have_more, wait, waited = pop_ready(1, tonumber(ARGV[1]), packed_settings, function(job)
  hand_out_for_good(job)
  reply[2], reply[3], reply[4] = job.id, job.payload, job.options.is_text and 1 or 0
end)
if taken > 0 then
  count_claimed(period, longest_wait, '', taken, wait, waited)
elseif may_have_more or left then
  reply[1] = 1
end
return tell_layout(packed_settings, tell_orphans(reply))
