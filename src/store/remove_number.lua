-- Cancels the ready job of a number.
--
-- KEYS  the queue's
-- ARGV  1 number, below 2^48
--       2 how many jobs that were scheduled are looked at
-- Reply 1 whether there was one: 1 or 0

local number, most = tonumber(ARGV[1]), tonumber(ARGV[2])

-- The id among these that has the number.
local function among(ids)
  for _, id in ipairs(ids) do
    if sequence_of(id) == number then
      return id
    end
  end
end

-- Each priority has one place for the number. Jobs that were scheduled are in the order of their dates instead.
local function find()
  local left = most
  for class = 0, 9 do
    local from, middle = class * CLASS, class * CLASS + WAITING
    local id = among(redis.call('ZRANGE', READY, middle + number, middle + number, 'BYSCORE'))
    if not id and left > 0 then
      local before = '(' .. string.format('%.0f', middle)
      local scheduled = redis.call('ZRANGE', READY, from, before, 'BYSCORE', 'LIMIT', 0, left)
      left = left - #scheduled
      id = among(scheduled)
    end
    if id then
      return id
    end
  end
end

promote(most)
local id = find()
if not id then
  return {0}
end
redis.call('ZREM', READY, id)
local run, options = load_run(id), load_options(id)
local settings = with_defaults(redis.call('HGET', META, 'settings'))
if has_expired(id, options, run) then
  bury(id, options, run, settings, 'expired')
  return {0}
end
cancel(id, options, run, settings)
return {1}
