-- Removes all jobs of a queue, its unique keys and its counts, and ends its readers. Memory is freed in the background,
-- so this takes no longer for a large queue. Registered workers stay, and so does the sequence: ids are never used twice.
--
-- KEYS  the queue's, and those of its readers
-- ARGV  1 '1' to remove its settings, too, and that it is stopped
--       2 what its settings must be, see shared/settings.lua
-- Reply 1 the generation that ends here, -1 for a queue that never was, -2 when its settings are others
--       2 whether jobs were ready or scheduled: 1 or 0
--       3… its readers

local meta = redis.call('HMGET', META, 'status', 'generation', 'settings')
if not settings_meet(ARGV[2], meta[3], meta[1]) then
  return {-2, 0}
end
if ARGV[1] == '1' then
  redis.call('HDEL', META, 'status', 'settings', 'policy')
end
local readers = redis.call('ZRANGE', READERS, 0, -1)
local had_jobs = math.min(1, redis.call('EXISTS', READY, SCHEDULED))
redis.call('UNLINK', READERS, MAIL, PAST)
redis.call('UNLINK', JOBS, RUNS, READY, SCHEDULED, ACTIVE, DONE, DEAD, CANCELLED)
-- Workers may have been seen on a queue that never was.
redis.call('UNLINK', UNIQUE, UNIQUE_UNTIL, SETTLED, RATES, HELD, SEEN)
if not meta[1] and not meta[2] and #readers == 0 then
  if redis.call('HEXISTS', META, 'policy') == 0 then
    -- What claims and readers noted there that waited for it.
    redis.call('PEXPIRE', META, 60000)
  end
  return {-1, had_jobs}
end
redis.call('HDEL', META, 'listed', 'processed', 'done', 'failed', 'lost', 'past', 'events')
local ended = redis.call('HINCRBY', META, 'generation', 1) - 1
-- Readers may hang on a queue that never was, and its hash have a time.
redis.call('PERSIST', META)
return {ended, had_jobs, unpack(readers)}
