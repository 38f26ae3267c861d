-- Lets a job of another partition hold a unique key for a time: until that job is redriven, no other can get the key.
--
-- ARGV  1 the version of the layout by which the key belongs here
--       2 the key
--       3 the job
--       4 for how long (ms)
-- Reply 1 'reserved', 'held' (by another job), 'moved' (another layout holds)
--
-- @keys META
-- @include clock, holder, orphan, partition, unique_key

local version, key, id, time = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local packed_settings = redis.call('HGET', META, 'settings')
if is_moved(version, packed_settings) then
  return tell_layout(packed_settings, {'moved'})
end
local holder, until_ = holder_of(key)
if holder and holder ~= id and not free_unique_key(key, holder, until_, packed_settings) then
  return tell_orphans({'held'})
end
hold_unique_key(id, key, NOW + time)
return tell_orphans({'reserved'})
