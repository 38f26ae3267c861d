-- Gives a partition what is set for its queue, unless it knows that or something later, or was deleted with that or something later.
--
-- ARGV  1 the settings with their layout, packed; see partition.lua
--       2 '1' open, '0' stopped
--       3 policy, empty where none was set
--       4 the number before the first one of the partition's jobs
-- Reply 1 whether it was behind: 1 or 0
--
-- @keys META
-- @include partition, queue, ready, wakeup

local settings, status, policy = ARGV[1], ARGV[2], ARGV[3]
local waiting_until, own_settings, closed = unpack(redis.call('HMGET', META, 'waiting-until', 'settings', 'closed'))
if math.max(version_of(own_settings), tonumber(closed or 0)) >= version_of(settings) then
  return {0}
end
if own_settings then
  -- A stopped queue must be opened before it can be emptied.
  allow_when_full()
end
redis.call('HSETNX', META, 'sequence', ARGV[4])
redis.call('HSET', META, 'settings', settings, 'status', status, 'sweep-at', 0)
redis.call('PERSIST', META)
if policy == '' then
  redis.call('HDEL', META, 'policy')
else
  redis.call('HSET', META, 'policy', policy)
end
if status == '1' then
  wake(waiting_until, count_ready())
end
return {1}
