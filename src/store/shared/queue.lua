-- What the scripts know of a queue as a whole.

-- The first job opens a queue. Takes the fields `listed` and `generation` of meta. Gives -1 when the queue is in the
-- list of queues, else the generation to enter there.
local function begin(listed, generation)
  generation = generation or '0'
  if listed == generation then
    return -1
  end
  redis.call('HSETNX', META, 'status', 1)
  return tonumber(generation)
end

-- Makes this script go on when Redis is at its memory limit, which refuses a script only at its first write and only when
-- that one may need memory. For what ends jobs and so frees memory; most of it takes a job out of a set first, which is
-- such a write.
local function although_full()
  redis.call('ZREM', ACTIVE, '')
end

-- How many jobs a fetch would give now.
local function size()
  local waiting = redis.call('ZCARD', READY)
  if redis.call('EXISTS', SCHEDULED) == 0 then
    return waiting
  end
  return waiting + redis.call('ZCOUNT', SCHEDULED, '-inf', NOW)
end
