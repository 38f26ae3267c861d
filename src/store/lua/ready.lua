-- The ready jobs and their order.
--
-- A member of READY is the id of a job. A compact one has the payload behind it, and the job is stored there alone: so it takes
-- less memory, and fewer commands. Jobs are compact that are small, were inserted without options, and were not touched since.
--
-- @keys META, JOBS, READY, SCHEDULED
-- @include clock, job

-- A job's position among the ready ones is a whole number below 2^53, which a score holds exactly: by priority, 9 first;
-- within a priority, jobs that were scheduled by their date, then the others in the order of their insertion. DATE_OFFSET
-- keeps dates before 1970 positive.
local PRIORITY_SPAN, UNSCHEDULED_OFFSET, DATE_OFFSET = 2 ^ 49, 2 ^ 48, 2 ^ 47

-- Where the positions of a priority begin.
local function start_of_priority(priority)
  return (9 - priority) * PRIORITY_SPAN
end

-- The position that its insertion gives a job.
local function position_of(number, priority)
  return (9 - priority) * PRIORITY_SPAN + UNSCHEDULED_OFFSET + number
end

-- The part of the order that a position is in: a priority, and whether the job was scheduled. In each the first is the oldest.
local function part_of(position)
  return math.floor(position / UNSCHEDULED_OFFSET)
end

-- Since when a ready job is ready (ms): since it was inserted, or due.
local function ready_since(member, position)
  local inserted, part = inserted_of(member), part_of(position)
  if part % 2 == 1 then
    return inserted
  end
  return math.max(inserted, position - part * UNSCHEDULED_OFFSET - DATE_OFFSET)
end

-- Since when the oldest and the newest of some jobs in a row are ready (ms).
-- @rare
local function read_since(first, last)
  local all, oldest, newest = redis.call('ZRANGE', READY, first, last, 'WITHSCORES'), NOW, 0
  for i = 1, #all, 2 do
    local since = ready_since(all[i], tonumber(all[i + 1]))
    oldest, newest = math.min(oldest, since), math.max(newest, since)
  end
  return oldest, newest
end

-- The next ready jobs from a place on, so many at most, and since when the oldest and the newest of them are ready (ms). Positions
-- are read of the first and the last alone, since to write many of them takes Redis longer than all the rest.
local function read_ready(first, limit)
  if limit == 1 then
    local found = redis.call('ZRANGE', READY, first, first, 'WITHSCORES')
    local since = found[1] and ready_since(found[1], tonumber(found[2])) or NOW
    return {found[1]}, since, since
  end
  local members = redis.call('ZRANGE', READY, first, first + limit - 1)
  if not members[1] then
    return members, NOW, 0
  end
  local newest = members[#members]
  local position, last_position = redis.call('ZSCORE', READY, members[1]), redis.call('ZSCORE', READY, newest)
  position, last_position = tonumber(position), tonumber(last_position)
  -- In each part of the order the first is the oldest.
  if part_of(position) == part_of(last_position) then
    return members, ready_since(members[1], position), ready_since(newest, last_position)
  end
  return members, read_since(first, first + #members - 1)
end

-- Since when the oldest job is ready (ms), nil when none is.
local function oldest_ready_since()
  local due = redis.call('ZRANGE', SCHEDULED, 0, 0, 'WITHSCORES')
  local oldest = due[2] and tonumber(due[2]) <= NOW and math.max(inserted_of(due[1]), tonumber(due[2])) or nil
  local first = redis.call('ZRANGE', READY, 0, 0, 'WITHSCORES')
  while first[1] do
    local position = tonumber(first[2])
    oldest = math.min(oldest or NOW, ready_since(first[1], position))
    local next_part = string.format('%.0f', (part_of(position) + 1) * UNSCHEDULED_OFFSET)
    first = redis.call('ZRANGE', READY, next_part, '+inf', 'BYSCORE', 'LIMIT', 0, 1, 'WITHSCORES')
  end
  return oldest
end

-- How large the payload of a compact job may be: members are read by the thousand.
local MAX_COMPACT_BYTES = 1024

-- Whether a new job that is ready at once becomes compact. An empty payload could not be told from none.
local function is_compact(packed_options, payload)
  return packed_options == '' and payload ~= '' and #payload <= MAX_COMPACT_BYTES
end

local function id_in(member)
  return string.sub(member, 1, ID_LENGTH)
end

-- The payload of a compact job; nil for any other.
local function payload_in(member)
  if #member > ID_LENGTH then
    return string.sub(member, ID_LENGTH + 1)
  end
end

-- Makes a job that may be compact one like any other, with a record: for what is about one job.
local function expand(id)
  local position = position_of(number_of(id), priority_of(id))
  for _, member in ipairs(redis.call('ZRANGE', READY, position, position, 'BYSCORE')) do
    local payload = id_in(member) == id and payload_in(member)
    if payload then
      redis.call('ZREM', READY, member)
      redis.call('HSET', JOBS, id, encode('', payload))
      redis.call('ZADD', READY, position, id)
    end
  end
end

local function make_ready(id)
  redis.call('ZADD', READY, position_of(number_of(id), priority_of(id)), id)
end

-- Makes a scheduled job ready. It takes its place by a date (ms). Positions keep dates apart up to some 4,000 years around 1970.
local function promote_job(id, date)
  redis.call('ZREM', SCHEDULED, id)
  local offset = math.max(0, math.min(UNSCHEDULED_OFFSET - 1, date + DATE_OFFSET))
  redis.call('ZADD', READY, start_of_priority(priority_of(id)) + offset, id)
end

-- Makes the first scheduled jobs ready that are due.
local function promote(max_jobs)
  local due = redis.call('ZRANGE', SCHEDULED, '-inf', NOW, 'BYSCORE', 'LIMIT', 0, max_jobs, 'WITHSCORES')
  for i = 1, #due, 2 do
    promote_job(due[i], tonumber(due[i + 1]))
  end
end

-- How many jobs are ready: those count that are due, or wait to be taken in (see batch.lua), although they come to READY later.
local function count_ready()
  local ready = redis.call('ZCARD', READY) + (redis.call('HGET', META, 'to-take-in') or 0)
  if redis.call('EXISTS', SCHEDULED) == 0 then
    return ready
  end
  return ready + redis.call('ZCOUNT', SCHEDULED, '-inf', NOW)
end
