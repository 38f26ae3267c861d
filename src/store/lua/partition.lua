-- Partitions: a queue can be spread over several hash tags, each with all keys of a queue.
--
-- What is set for the queue is the same in all of them. Behind the packed settings stands the layout, where the queue has, or once
-- had, more than one partition. It is a packed list, and a nil behind it:
--   1 version: each change of the settings has a later one than all before (ms)
--   2 over how many partitions new jobs are spread
--   3 how many may have jobs: more than that while a smaller number was set and some still have
--   4 how many there ever were
--   5 when the number was last changed (ms)
--   6… former numbers, by which keys may still be held
--
-- Partition 0 knows best; the others have copies. So whoever finds one that is behind gives it a new copy: see
-- `Store::follow` in queues/partitions.rs.
--
-- @keys META
-- @include clock

-- The last byte of settings with a layout: a packed nil. Others may end so too, which costs a look.
local LAYOUT_END = 192

-- The settings and the layout, unpacked; the layout is nil where there is none.
-- @rare
local function unpack_with_layout(packed_settings)
  local settings, layout = cmsgpack.unpack(packed_settings)
  return settings, layout
end

-- The version of the layout, 0 where there is none. Takes the field `settings` of META.
local function version_of(packed_settings)
  if packed_settings and string.byte(packed_settings, -1) == LAYOUT_END then
    local _, layout = unpack_with_layout(packed_settings)
    return layout and layout[1] or 0
  end
  return 0
end

-- Whether an insert was sent here by another layout than this one. `version` is that of the one it went by, empty where it
-- does not matter: then this need not be called. A further partition that is deleted has the version with which it was closed: no
-- older one comes there any more.
-- @rare
local function is_moved(version, packed_settings)
  local own = version_of(packed_settings)
  if not packed_settings and version ~= '' and version ~= '0' then
    own = tonumber(redis.call('HGET', META, 'closed') or 0)
  end
  return version ~= '' and tonumber(version) ~= own
end

-- Whether keys may be held where a former number of partitions put them. Takes the field `settings` of META.
-- @rare
local function has_former_numbers(packed_settings)
  if not packed_settings then
    return false
  end
  local _, layout = unpack_with_layout(packed_settings)
  return layout ~= nil and layout[6] ~= nil
end

-- The note in front of a reply: whether legacy workers get leases, and the layout.
-- @rare
local function add_layout(packed_settings, reply)
  local settings, layout = unpack_with_layout(packed_settings)
  if layout then
    local is_leased = settings.is_legacy_leased and 1 or 0
    table.insert(reply, 1, {ok = 'partitions ' .. is_leased .. ' ' .. table.concat(layout, ' ')})
  end
end

-- A script's reply. Where the queue has a layout it stands in front, for `Store::run_with`. Takes the field `settings` of META.
local function tell_layout(packed_settings, reply)
  if packed_settings and string.byte(packed_settings, -1) == LAYOUT_END then
    add_layout(packed_settings, reply)
  end
  return reply
end

-- Settings with their layout, packed.
local function pack_with_layout(settings, layout)
  return settings .. cmsgpack.pack(layout) .. string.char(LAYOUT_END)
end

-- Settings without their layout, packed as they were; and the layout, nil where there was none.
-- @rare
local function split_layout(packed_settings)
  local _, layout = unpack_with_layout(packed_settings)
  if not layout then
    return packed_settings
  end
  return string.sub(packed_settings, 1, -2 - #cmsgpack.pack(layout)), layout
end

-- A version that is later than another one.
local function version_after(version)
  return math.max(NOW, version + 1)
end

-- The layout of a queue from now on, with new jobs spread over so many partitions; nil for a queue that never had more than one.
-- Takes the fields `settings` and `status` of META. A queue that does not exist has no jobs, and so no keys that are held.
-- @rare
local function next_layout(packed_settings, status, partitions)
  local old = nil
  if packed_settings then
    local _, layout = unpack_with_layout(packed_settings)
    old = layout
  end
  if not old and partitions == 1 then
    return nil
  end
  if not old then
    -- Versions rise also over a deletion.
    local version = tonumber(redis.call('HGET', META, 'generation') or 0)
    old = {version, status and 1 or partitions, 1, 1, NOW}
  end
  local layout = {version_after(old[1]), partitions, math.max(partitions, old[3]), math.max(partitions, old[4]), old[5]}
  if old[2] ~= partitions then
    layout[5], layout[6] = NOW, old[2]
  end
  for i = 6, #old do
    if old[i] ~= partitions and old[i] ~= layout[6] then
      layout[#layout + 1] = old[i]
    end
  end
  return layout
end

-- Gives the settings of a queue with partitions a new version, since something beside them was changed that all partitions must
-- know. Takes the field `settings` of META, and returns what it is then.
-- @rare
local function renew_version(packed_settings)
  local settings, layout = nil, nil
  if packed_settings then
    settings, layout = split_layout(packed_settings)
  end
  if layout then
    layout[1] = version_after(layout[1])
    packed_settings = pack_with_layout(settings, layout)
    redis.call('HSET', META, 'settings', packed_settings)
  end
  return packed_settings
end
