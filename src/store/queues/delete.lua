-- Removes all jobs of a queue, its unique keys and its counts, and ends its subscribers. Memory is freed in the background,
-- so this takes no longer for a large queue. Registered workers stay, and so does the sequence: ids are never used twice.
--
-- ARGV  1 '1' to remove its settings too, and that it is stopped
--       2 the condition on its settings, see settings_meet
-- Reply 1 the generation that ends here, -1 for a queue that never existed, -2 when the condition is not met
--       2 whether jobs were ready or scheduled: 1 or 0
--       3… its subscribers
--
-- @keys META, JOBS, EXECUTIONS, READY, SCHEDULED, ACTIVE, DONE, DEAD, CANCELLED, UNIQUE, UNIQUE_UNTIL, FINISHED_RECEIPTS
-- @keys RATES, LEGACY_RECEIPTS, SEEN, SUBSCRIBERS, DELIVERIES, REPLAY
-- @include queue

local removes_settings, condition = ARGV[1], ARGV[2]
local status, generation, settings = unpack(redis.call('HMGET', META, 'status', 'generation', 'settings'))
if not settings_meet(condition, settings, status) then
  return {-2, 0}
end
if removes_settings == '1' then
  redis.call('HDEL', META, 'status', 'settings', 'policy')
end
local subscribers = redis.call('ZRANGE', SUBSCRIBERS, 0, -1)
local had_jobs = math.min(1, redis.call('EXISTS', READY, SCHEDULED))
redis.call('UNLINK', SUBSCRIBERS, DELIVERIES, REPLAY)
redis.call('UNLINK', JOBS, EXECUTIONS, READY, SCHEDULED, ACTIVE, DONE, DEAD, CANCELLED)
-- Workers may have been seen on a queue that never existed.
redis.call('UNLINK', UNIQUE, UNIQUE_UNTIL, FINISHED_RECEIPTS, RATES, LEGACY_RECEIPTS, SEEN)
if not status and not generation and #subscribers == 0 then
  if redis.call('HEXISTS', META, 'policy') == 0 then
    -- META may hold only what claims and subscribers noted that waited for the queue.
    redis.call('PEXPIRE', META, 60000)
  end
  return {-1, had_jobs}
end
redis.call('HDEL', META, 'cataloged', 'processed', 'done', 'failed', 'lost-leases', 'orphans')
redis.call('HDEL', META, 'replay-bytes', 'keeps-replay')
local ended = redis.call('HINCRBY', META, 'generation', 1) - 1
-- A queue that never existed may have subscribers, and META an expiry.
redis.call('PERSIST', META)
return {ended, had_jobs, unpack(subscribers)}
