-- Notes in a legacy worker's record that it has left a queue, with what it did there. The record goes with its last queue.
--
-- ARGV  1 the record's field for the queue
--       2 how many jobs it has processed there, 3 how many it has failed
-- Reply 1 whether it is registered on no queue any more: 1 or 0
--
-- @keys WORKER_RECORD

redis.call('HDEL', WORKER_RECORD, ARGV[1])
for _, field in ipairs(redis.call('HKEYS', WORKER_RECORD)) do
  if string.sub(field, 1, 6) == 'queue:' then
    redis.call('HINCRBY', WORKER_RECORD, 'processed', ARGV[2])
    redis.call('HINCRBY', WORKER_RECORD, 'failed', ARGV[3])
    return {0}
  end
end
redis.call('DEL', WORKER_RECORD)
return {1}
