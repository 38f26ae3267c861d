-- Where jobs are: each id is in exactly one of the sorted sets of states.

-- A place among the ready ones is a whole number below 2^53, which a score holds exactly: the priority, 9 first; then
-- jobs that were scheduled, by date; then the others, in the order of their insertion.
local CLASS, WAITING, EPOCH = 2 ^ 49, 2 ^ 48, 2 ^ 47

local function class_of(id)
  return (9 - priority_of(id)) * CLASS
end

-- The place that its insertion gave a job.
local function place(id)
  return class_of(id) + WAITING + sequence_of(id)
end

local function to_ready(id)
  redis.call('ZADD', READY, place(id), id)
end

-- Makes the first jobs ready whose time has come. Places tell dates apart up to some 4,000 years around 1970.
local function promote(most)
  local due = redis.call('ZRANGE', SCHEDULED, '-inf', NOW, 'BYSCORE', 'LIMIT', 0, most, 'WITHSCORES')
  for i = 1, #due, 2 do
    local id, date = due[i], tonumber(due[i + 1])
    redis.call('ZREM', SCHEDULED, id)
    redis.call('ZADD', READY, class_of(id) + math.max(0, math.min(WAITING - 1, date + EPOCH)), id)
  end
end
