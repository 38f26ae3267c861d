-- Tells all about a queue.
--
-- KEYS  the queue's
-- Reply nothing when there is no such queue, else
--       1 status: '1' open, '0' stopped
--       2 the settings with their defaults, packed
--       3 the settings' tag
--       4 to 9 how many jobs are ready, scheduled, active, done, dead, cancelled
--       10 how many milliseconds ago the oldest ready job was inserted, or due; nil when there is none
--       11 to 14 how many were claimed, done, failed, lost; since the queue began
--       15 to 18 how many were inserted, claimed, done, failed in the last minute
--       19 how many workers were seen in the last hour

local KINDS = {'inserted', 'claimed', 'done', 'failed'}

-- How many there were in the six slices before this one.
local function last_minute(kind)
  local slice, sum = math.floor(NOW / SLICE), 0
  for i = 1, SLICES - 1 do
    sum = sum + (redis.call('HGET', RATES, kind .. ':' .. slice - i) or 0)
  end
  return sum
end

local meta = redis.call('HMGET', META, 'status', 'settings', 'processed', 'done', 'failed', 'lost')
if not meta[1] then
  return {}
end

-- The first of each priority, of those that were scheduled and of those that were not.
local oldest
local function consider(since)
  oldest = math.min(oldest or since, since)
end
local due = redis.call('ZRANGE', SCHEDULED, 0, 0, 'WITHSCORES')
if due[2] and tonumber(due[2]) <= NOW then
  consider(math.max(inserted_of(due[1]), tonumber(due[2])))
end
for class = 0, 9 do
  local from, middle, to = class * CLASS, class * CLASS + WAITING, (class + 1) * CLASS
  local first = redis.call('ZRANGE', READY, from, '(' .. string.format('%.0f', middle), 'BYSCORE', 'LIMIT', 0, 1, 'WITHSCORES')
  if first[1] then
    consider(math.max(inserted_of(first[1]), tonumber(first[2]) - from - EPOCH))
  end
  first = redis.call('ZRANGE', READY, middle, '(' .. string.format('%.0f', to), 'BYSCORE', 'LIMIT', 0, 1)
  if first[1] then
    consider(inserted_of(first[1]))
  end
end

local reply = {meta[1], packed_settings(meta[2]), settings_tag(meta[2], meta[1])}
local function add(value)
  reply[#reply + 1] = value
end
add(size())
add(redis.call('ZCOUNT', SCHEDULED, LATER, '+inf'))
add(redis.call('ZCARD', ACTIVE))
for _, key in ipairs({DONE, DEAD, CANCELLED}) do
  add(redis.call('ZCOUNT', key, LATER, '+inf'))
end
add(oldest and math.max(0, NOW - oldest) or false)
for _, field in ipairs({3, 4, 5, 6}) do
  add(tonumber(meta[field] or 0))
end
for _, kind in ipairs(KINDS) do
  add(last_minute(kind))
end
add(redis.call('ZCOUNT', SEEN, NOW - 3600000, '+inf'))
return reply
