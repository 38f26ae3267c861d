-- Takes a queue off the list of queues, unless a later generation of it was entered meanwhile.
--
-- KEYS  1 the list of queues
-- ARGV  1 the queue's name
--       2 the last generation that may go
-- Reply 1 removed: 1 or 0

local generation = redis.call('ZSCORE', KEYS[1], ARGV[1])
if generation and tonumber(generation) <= tonumber(ARGV[2]) then
  return {redis.call('ZREM', KEYS[1], ARGV[1])}
end
return {0}
