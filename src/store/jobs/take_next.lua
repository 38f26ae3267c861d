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
-- @include counts, job, lease, orphan, queue, ready, unique_key

local settings = settings_of(redis.call('HGET', META, 'settings'))
local _, may_have_ended = recover_ended_leases(settings)
promote(100)

local reply = {0}
local taken, may_have_more = pop_ready(1, tonumber(ARGV[1]), settings, function(id, options, _, payload)
  release_unique_key(id, key_released_at_end(options))
  forget(id)
  reply[2], reply[3], reply[4] = id, payload, options.is_text and 1 or 0
end)
if taken > 0 then
  count_claimed('', taken)
elseif may_have_more or may_have_ended then
  reply[1] = 1
end
return tell_orphans(reply)
