-- Sets a queue's settings, all of them.
--
-- ARGV  1 the settings, packed; see queue.lua
--       2 '0' to stop the queue, '1' to open it
--       3 the tag that the settings must have now: empty for any, '*' for any queue that exists, 'none' for a queue that
--         does not exist
--       4 over how many partitions new jobs are spread
-- Reply 1 outcome: 'created', 'changed', 'mismatch' (nothing was changed, and no tag or settings follow)
--       2 the time to enter in the catalog, or -1 when the queue is there
--       3 the settings' tag
--       4 the settings with their defaults, packed
--
-- @keys META
-- @include partition, queue, ready, wakeup

local settings, status, condition, partitions = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])

local cataloged, waiting_until, old_settings, old_status =
  unpack(redis.call('HMGET', META, 'cataloged', 'waiting-until', 'settings', 'status'))
if not settings_meet(condition, old_settings, old_status) then
  return tell_layout(old_settings, {'mismatch', -1})
end
if old_status then
  -- A stopped queue must be opened before it can be emptied.
  allow_when_full()
end
local time_to_enter = cataloged and -1 or make_queue()
local layout, stored = next_layout(old_settings, old_status, partitions), settings
if layout then
  stored = pack_with_layout(settings, layout)
end
-- What is too much or over its time by these settings is freed by the next calls.
redis.call('HSET', META, 'settings', stored, 'status', status, 'sweep-at', 0)
if status == '1' then
  -- Claims that wait learn of new partitions, and then wait for those, too.
  wake(waiting_until, layout and MAX_TOKENS or count_ready())
end
local outcome = old_status and 'changed' or 'created'
return tell_layout(stored, {outcome, time_to_enter, settings_tag(settings, status), pack_effective(settings)})
