-- Removes all jobs of a queue, its unique keys and its counts. Memory is freed in the background, so this takes no
-- longer for a large queue. Registered workers stay, and so does the sequence: ids are never used twice.
--
-- KEYS  the queue's
-- ARGV  1 '1' to remove its settings, too, and that it is stopped
--       2 what its settings must be, see shared/settings.lua
-- Reply 1 the generation that ends here, -1 for a queue that never was, -2 when its settings are others

local meta = redis.call('HMGET', META, 'status', 'generation', 'settings')
if not settings_meet(ARGV[2], meta[3], meta[1]) then
  return {-2}
end
redis.call('UNLINK', JOBS, RUNS, READY, SCHEDULED, ACTIVE, DONE, DEAD, CANCELLED)
-- Workers may have been seen on a queue that never was.
redis.call('UNLINK', UNIQUE, UNIQUE_UNTIL, SETTLED, RATES, HELD, SEEN)
if not meta[1] and not meta[2] then
  return {-1}
end
redis.call('HDEL', META, 'listed', 'processed', 'done', 'failed', 'lost')
if ARGV[1] == '1' then
  redis.call('HDEL', META, 'status', 'settings', 'policy')
end
return {redis.call('HINCRBY', META, 'generation', 1) - 1}
