-- Marks a queue as being in the list of queues, unless it is not there, or was deleted since it was entered in the list.
--
-- KEYS  1 meta
-- ARGV  1 the generation that was entered
-- Reply 1 marked: 1, or 0 when the queue is not there any more

if redis.call('HEXISTS', KEYS[1], 'status') == 0
  or (redis.call('HGET', KEYS[1], 'generation') or '0') ~= ARGV[1] then
  return {0}
end
redis.call('HSET', KEYS[1], 'listed', ARGV[1])
return {1}
