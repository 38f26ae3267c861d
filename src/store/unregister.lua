-- Notes in a worker's record that it has left a queue, with what it did there. The record goes with its last queue.
--
-- KEYS  1 the worker's record
-- ARGV  1 the record's field for the queue
--       2 how many jobs it has processed there, 3 how many it has failed
-- Reply 1 last: 1 when it is registered on no queue any more

redis.call('HDEL', KEYS[1], ARGV[1])
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(field, 1, 6) == 'queue:' then
    redis.call('HINCRBY', KEYS[1], 'processed', ARGV[2])
    redis.call('HINCRBY', KEYS[1], 'failed', ARGV[3])
    return {0}
  end
end
redis.call('DEL', KEYS[1])
return {1}
