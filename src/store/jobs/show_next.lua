-- Shows the next job without taking it, whether or not the queue is stopped, and counts how often it was shown.
--
-- ARGV  1 max_bytes: it stops after the expired job with which their payloads reach so many bytes
-- Reply 1 1 when there may be jobs behind what one call may skip or take in: run the script again
--       then, where there is one
--       2 id
--       3 payload
--       4 is_text: 1 or 0
--       5 how often it was shown, this time included
--
-- @promises nothing
-- @keys META, READY
-- @include ending, event, execution, job, lease, orphan, partition, queue, ready

local max_bytes = tonumber(ARGV[1])
local status, packed_settings, next_event, period =
  unpack(redis.call('HMGET', META, 'status', 'settings', 'next-event', 'period'))
-- Whoever looks at a job may be about to remove it.
allow_when_full()
local _, left
if may_have_event(next_event) then
  _, left = handle_events(status, packed_settings, period, 1)
  if left == 'behind' then
    return tell_layout(packed_settings, {1})
  end
end

local skipped = 0
while max_bytes > 0 and skipped < MAX_SKIPPED do
  local member = redis.call('ZRANGE', READY, 0, 0)[1]
  if not member then
    return tell_layout(packed_settings, tell_orphans({left and 1 or 0}))
  end
  local id = id_in(member)
  expand(id)
  local packed, payload = read_record(id)
  if packed then
    local options, execution = unpack_options(packed), load_execution(id)
    if not has_expired(id, options, execution) then
      execution.shown = (execution.shown or 0) + 1
      save_execution(id, execution)
      local reply = {0, id, payload, options.is_text and 1 or 0, execution.shown}
      return tell_layout(packed_settings, tell_orphans(reply))
    end
    redis.call('ZREM', READY, id)
    bury(id, options, execution, settings_of(packed_settings), 'expired')
    max_bytes = max_bytes - #payload
  else
    drop_orphan(READY, id)
  end
  skipped = skipped + 1
end
return tell_layout(packed_settings, tell_orphans({1}))
