-- Cancels the ready job of a number.
--
-- ARGV  1 number, below 2^48
--       2 how many jobs that were scheduled are read
-- Reply 1 whether there was one: 1 or 0
--
-- @keys META, READY
-- @include batch, ending, execution, job, orphan, queue, ready

local number, max_scheduled = tonumber(ARGV[1]), tonumber(ARGV[2])

-- The id among these members of READY that has the number.
local function find_among(members)
  for _, member in ipairs(members) do
    if number_of(member) == number then
      return id_in(member)
    end
  end
end

-- A job that was not scheduled has a position that follows from its priority and its number. One that was scheduled is in
-- the order of the dates instead.
local function find()
  local left = max_scheduled
  for priority = 9, 0, -1 do
    local start = start_of_priority(priority)
    local unscheduled_start = start + UNSCHEDULED_OFFSET
    local position = unscheduled_start + number
    local id = find_among(redis.call('ZRANGE', READY, position, position, 'BYSCORE'))
    if not id and left > 0 then
      local before = '(' .. string.format('%.0f', unscheduled_start)
      local scheduled = redis.call('ZRANGE', READY, start, before, 'BYSCORE', 'LIMIT', 0, left)
      left = left - #scheduled
      id = find_among(scheduled)
    end
    if id then
      return id
    end
  end
end

let_in(max_scheduled)
local id = find()
if not id then
  return {0}
end
expand(id)
local packed = read_record(id)
if not packed then
  drop_orphan(READY, id)
  return tell_orphans({0})
end
local execution, options = load_execution(id), unpack_options(packed)
redis.call('ZREM', READY, id)
local settings = settings_of(redis.call('HGET', META, 'settings'))
if has_expired(id, options, execution) then
  bury(id, options, execution, settings, 'expired')
  return {0}
end
cancel(id, options, execution, settings)
return {1}
