-- Sets what a queue's settings are.
--
-- KEYS  the queue's
-- ARGV  1 the settings, packed; see shared/settings.lua
--       2 '0' to hold its jobs back, '1' not to
--       3 the tag that the settings must have now: empty for any, '*' for any of a queue that is there, 'none' for a
--         queue that is not there
-- Reply 1 outcome: 'created', 'changed', 'mismatch' (nothing was changed)
--       2 generation: to enter in the list of queues, or -1 when the queue is there; the last with 'mismatch'
--       3 the settings' tag
--       4 the settings as they work, with their defaults, packed

local settings, status, condition = ARGV[1], ARGV[2], ARGV[3]
local meta = redis.call('HMGET', META, 'listed', 'generation', 'waiting', 'settings', 'status')
local there = meta[5] and true or false
if not settings_meet(condition, meta[4], meta[5]) then
  return {'mismatch', -1}
end
if there then
  -- A queue that is stopped must be opened to be emptied.
  although_full()
end
local generation = begin(meta[1], meta[2])
redis.call('HSET', META, 'settings', settings, 'status', status)
if status == '1' then
  wake(meta[3], size())
end
return {there and 'changed' or 'created', generation, settings_tag(settings, status), packed_settings(settings)}
