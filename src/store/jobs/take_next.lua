-- Takes the next job for good: it leaves the queue, whether or not that is stopped.
--
-- ARGV  1 max_bytes: it stops after the expired job with which their payloads reach so many bytes
-- Reply 1 1 when only jobs were met that had expired or died: run the script again
--       then, where there was one
--       2 id
--       3 payload
--       4 is_text: 1 or 0
--
-- @keys META
-- @include counts, event, lease, orphan

local status, packed_settings, next_event, slice =
  unpack(redis.call('HMGET', META, 'status', 'settings', 'next-event', 'slice'))
local _, may_have_ended
if may_have_event(next_event) then
  _, may_have_ended = handle_events(status, packed_settings, slice, 100)
end

local reply = {0}
local taken, may_have_more = pop_ready(1, tonumber(ARGV[1]), packed_settings, function(job)
  hand_out_for_good(job)
  reply[2], reply[3], reply[4] = job.id, job.payload, job.options.is_text and 1 or 0
end)
if taken > 0 then
  count_claimed(slice, '', taken)
elseif may_have_more or may_have_ended then
  reply[1] = 1
end
return tell_orphans(reply)
