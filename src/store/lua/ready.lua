-- The ready jobs and their order.
--
-- @keys READY, SCHEDULED
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

local function make_ready(id)
  redis.call('ZADD', READY, position_of(number_of(id), priority_of(id)), id)
end

-- Makes the first scheduled jobs ready that are due. Positions keep dates apart up to some 4,000 years around 1970.
local function promote(max_jobs)
  local due = redis.call('ZRANGE', SCHEDULED, '-inf', NOW, 'BYSCORE', 'LIMIT', 0, max_jobs, 'WITHSCORES')
  for i = 1, #due, 2 do
    local id, date = due[i], tonumber(due[i + 1])
    redis.call('ZREM', SCHEDULED, id)
    local offset = math.max(0, math.min(UNSCHEDULED_OFFSET - 1, date + DATE_OFFSET))
    redis.call('ZADD', READY, start_of_priority(priority_of(id)) + offset, id)
  end
end

-- How many jobs are ready: those that are due count, although they are promoted later.
local function count_ready()
  local ready = redis.call('ZCARD', READY)
  if redis.call('EXISTS', SCHEDULED) == 0 then
    return ready
  end
  return ready + redis.call('ZCOUNT', SCHEDULED, '-inf', NOW)
end
