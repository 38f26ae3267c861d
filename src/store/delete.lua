-- Removes all jobs of a queue, its unique keys and its counts. Memory is freed in the background, so this takes no
-- longer for a large queue. Whether the queue is stopped stays, and so do its workers.
--
-- KEYS  1 meta, 2 ready, 3 scheduled, 4 unique
-- Reply 1 the generation that ends here, -1 for a queue that never was

if redis.call('EXISTS', KEYS[1]) == 0 then
  return {-1}
end
redis.call('HDEL', KEYS[1], 'listed', 'sequence', 'processed', 'failed')
redis.call('UNLINK', KEYS[2], KEYS[3], KEYS[4])
return {redis.call('HINCRBY', KEYS[1], 'generation', 1) - 1}
