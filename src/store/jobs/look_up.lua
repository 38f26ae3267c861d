-- Looks, before an insert, in a partition to which its keys belonged before the number of partitions was changed.
--
-- ARGV  1 the version of the layout by which the keys belong elsewhere
--         and behind it the part of a request, as insert.lua has it
--       2 fingerprint of the request, empty for one that has no idempotency key
--       then the unique keys
-- Reply 1 outcome: 'moved' (another layout holds: what is held here may change), 'replayed' or 'mismatch' as insert.lua, 'held'
--       2 -1, as insert.lua has it
--       then, with 'replayed', the same as there; with 'held' for each unique key the job that holds it, empty for none
--
-- @keys META
-- @include clock, holder, insertion, orphan, partition, unique_key

local version, part = split_version(ARGV[1])
local fingerprint = ARGV[2]
local packed_settings = redis.call('HGET', META, 'settings')
if is_moved(version, packed_settings) then
  return tell_layout(packed_settings, {'moved', -1})
end
local replayed = fingerprint ~= '' and replay(fingerprint, part, NOW)
if replayed then
  return replayed
end
local reply = {'held', -1}
for i = 3, #ARGV do
  local key = ARGV[i]
  local holder, until_ = holder_of(key)
  if holder and free_unique_key(key, holder, until_, packed_settings) then
    holder = nil
  end
  reply[#reply + 1] = holder or ''
end
return tell_orphans(reply)
