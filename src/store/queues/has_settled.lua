-- Tells, of a partition, whether it has nothing any more, and whether no key is held in it by a former number of partitions.
--
-- ARGV  1 the version of the layout
-- Reply 1 whether it has no jobs, in no state, and holds no keys: 1 or 0
--       2 whether no former number of partitions matters here any more: 1 or 0, also where there is too much to look at
--       Both are 0 where another layout holds.
--
-- @promises nothing
-- @keys META, READY, SCHEDULED, ACTIVE, DONE, DEAD, CANCELLED, BATCHES, UNIQUE
-- @include clock, job, partition

-- For how long the answers to inserts are remembered (ms), and how much later other partitions may learn of a new number.
local REMEMBERED_FOR, LEARNT_LATER = 86400000, 3600000
-- How many pages of a thousand are looked at of each.
local MAX_PAGES = 10

local packed_settings = redis.call('HGET', META, 'settings')
if not packed_settings or is_moved(ARGV[1], packed_settings) then
  return tell_layout(packed_settings, {0, 0})
end
local _, layout = cmsgpack.unpack(packed_settings)
local changed = layout[5]

local function is_old(id)
  return inserted_of(id) < changed + LEARNT_LATER
end

-- Dead jobs that are redriven hold their keys again.
local function has_old_dead()
  for page = 0, MAX_PAGES do
    local ids = redis.call('ZRANGE', DEAD, page * 1000, page * 1000 + 999)
    for _, id in ipairs(ids) do
      if is_old(id) then
        return true
      end
    end
    if #ids < 1000 then
      return false
    end
  end
  return true
end

local function has_old_keys()
  local cursor, pages = '0', 0
  repeat
    local page = redis.call('HSCAN', UNIQUE, cursor, 'COUNT', 1000)
    cursor, pages = page[1], pages + 1
    for i = 2, #page[2], 2 do
      if is_old(page[2][i]) then
        return true
      end
    end
  until cursor == '0' or pages == MAX_PAGES
  return cursor ~= '0'
end

local count = redis.call('EXISTS', READY, SCHEDULED, ACTIVE, DONE, DEAD, CANCELLED, BATCHES, UNIQUE)
local is_settled = NOW >= changed + REMEMBERED_FOR + LEARNT_LATER and not has_old_keys() and not has_old_dead()
return tell_layout(packed_settings, {count == 0 and 1 or 0, is_settled and 1 or 0})
