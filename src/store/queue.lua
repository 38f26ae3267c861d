-- What the scripts know of a queue.

-- The first job opens a queue. Gives -1 when the queue is in the list of queues, else the generation to enter there.
local function begin(meta)
  local marks = redis.call('HMGET', meta, 'listed', 'generation')
  local generation = marks[2] or '0'
  if marks[1] == generation then
    return -1
  end
  redis.call('HSETNX', meta, 'status', 1)
  return tonumber(generation)
end

-- An entry as a member of the scheduled ones. The number makes each member its own, and keeps those of one date in the
-- order they came.
local function scheduled_member(number, entry)
  return string.format('%014x', number) .. entry
end

-- The entry in a member of the scheduled ones.
local function scheduled_entry(member)
  return string.sub(member, 15)
end

-- The server's clock, in milliseconds.
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Counts for a worker, when it is registered on the queue.
local function count_for(counts, worker, number)
  if worker ~= '' and redis.call('HEXISTS', counts, worker) == 1 then
    redis.call('HINCRBY', counts, worker, number)
  end
end

-- How many jobs a fetch would give now.
local function size(ready, scheduled)
  local waiting = redis.call('LLEN', ready)
  if redis.call('EXISTS', scheduled) == 0 then
    return waiting
  end
  return waiting + redis.call('ZCOUNT', scheduled, '-inf', now())
end
