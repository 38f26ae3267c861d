-- Notes, on partition 0, which partitions have drained, and that former numbers of partitions do not matter any more.
--
-- ARGV  1 the version of the layout of which that is so
--       2 how many partitions may still have jobs
--       3 '1' when former numbers do not matter any more
-- Reply 1 whether it was noted: 1, or 0 when another layout holds
--
-- @keys META
-- @include partition, queue

local packed_settings = redis.call('HGET', META, 'settings')
if is_moved(ARGV[1], packed_settings) then
  return tell_layout(packed_settings, {0})
end
allow_when_full()
local settings, layout = split_layout(packed_settings)
layout[1], layout[3] = version_after(layout[1]), tonumber(ARGV[2])
if ARGV[3] == '1' then
  layout = {unpack(layout, 1, 5)}
end
packed_settings = pack_with_layout(settings, layout)
redis.call('HSET', META, 'settings', packed_settings)
return tell_layout(packed_settings, {1})
