-- Marks a queue as being in the list of queues, unless it was deleted since it was entered there.
--
-- KEYS  1 meta
-- ARGV  1 the generation that was entered
-- Reply 1 marked: 1, or 0 when the queue was deleted

if (redis.call('HGET', KEYS[1], 'generation') or '0') ~= ARGV[1] then
  return {0}
end
redis.call('HSET', KEYS[1], 'listed', ARGV[1])
return {1}
