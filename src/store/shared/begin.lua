-- How a queue begins.

-- The first job opens a queue. Takes the fields `listed` and `generation` of meta. Gives -1 when the queue is in the
-- list of queues, else the generation to enter there.
local function begin(listed, generation)
  generation = generation or '0'
  if listed == generation then
    return -1
  end
  redis.call('HSETNX', META, 'status', 1)
  -- Claims that wait for it may have made its meta hash, for a time.
  redis.call('PERSIST', META)
  return tonumber(generation)
end
