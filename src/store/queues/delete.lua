-- Removes all jobs of a queue, its unique keys and its counts, and ends its subscribers. Memory is freed in the background,
-- so this takes no longer for a large queue. Registered workers stay, and so does the sequence: ids are never used twice.
--
-- What stays has an expiry, unless something is set for the queue, or its numbers go on.
--
-- ARGV  1 'queue' to remove its settings too, and that it is stopped; 'jobs'; 'jobs-but-numbers' so that numbers go on for ever
--       2 the condition on its settings, see settings_meet
--       3 of a queue with partitions: empty for partition 0 at first, which then only closes the others; for those '-' and the version
--         with which they were closed, or 0; and then for partition 0 the version of the layout, with which it goes: with a later
--         one the queue has got new settings, and they stay
-- Reply 1 the new generation: what is in the catalog since before it may go; -1 for a queue that never existed, -2 when the
--         condition is not met, -3 when the other partitions were closed: no new jobs go there
--       2 whether jobs were ready or scheduled: 1 or 0
--       3… its subscribers
--
-- @keys META, JOBS, READY, SCHEDULED, ACTIVE, DONE, DEAD, CANCELLED, UNIQUE, UNIQUE_UNTIL, FINISHED_RECEIPTS
-- @keys LEGACY_RECEIPTS, BATCHES, SEEN, SUBSCRIBERS, DELIVERIES, REPLAY
-- @include clock, partition, queue, waits

-- How long META stays without a queue (ms). The answers to inserts that are remembered for 24 hours must be known to be from
-- before the deletion as long as there are any, and job numbers are not begun anew meanwhile.
local GENERATION_TTL = 90000000

local what, condition, step = ARGV[1], ARGV[2], ARGV[3]
local closed = tonumber(string.match(step, '^%-(%d+)$') or 0)
local status, generation, settings, policy, cataloged =
  unpack(redis.call('HMGET', META, 'status', 'generation', 'settings', 'policy', 'cataloged'))
if not settings_meet(condition, settings, status) then
  return tell_layout(settings, {-2, 0})
end
local version = version_of(settings)
if what == 'queue' and version > 0 and step == '' then
  -- It must be known of the others until they are deleted.
  allow_when_full()
  settings = pack_with_layout((split_layout(settings)), next_layout(settings, status, 1))
  redis.call('HSET', META, 'settings', settings)
  return tell_layout(settings, {-3, 0})
elseif what == 'queue' and string.match(step, '^%d') and tonumber(step) ~= version then
  what = 'jobs'
end
if what == 'queue' then
  redis.call('HDEL', META, 'status', 'settings', 'policy')
end
local subscribers = redis.call('ZRANGE', SUBSCRIBERS, 0, -1)
local had_jobs = math.min(1, redis.call('EXISTS', READY, SCHEDULED, BATCHES))
redis.call('UNLINK', SUBSCRIBERS, DELIVERIES, REPLAY)
redis.call('UNLINK', JOBS, BATCHES, READY, SCHEDULED, ACTIVE, DONE, DEAD, CANCELLED)
-- Workers may have been seen on a queue that never existed.
redis.call('UNLINK', UNIQUE, UNIQUE_UNTIL, FINISHED_RECEIPTS, LEGACY_RECEIPTS, SEEN)
if closed > 0 then
  -- A copy of the settings from before that comes late must not be taken.
  redis.call('HSET', META, 'closed', closed)
elseif not status and not generation and #subscribers == 0 then
  if redis.call('HEXISTS', META, 'policy') == 0 then
    -- META may hold only what claims and subscribers noted that waited for the queue.
    redis.call('PEXPIRE', META, 60000)
  end
  return {-1, had_jobs}
end
redis.call('HDEL', META, 'cataloged', 'done', 'failed', 'lost-leases', 'died', 'released', 'orphans', unpack(CLAIMED))
redis.call('HDEL', META, 'replay-bytes', 'keeps-replay', 'next-event', 'to-take-in')
redis.call('HDEL', META, 'period', 'rates', 'history', 'longest-wait')
-- A generation is a time, and later than all before it, also when the clock was set back, and than all layouts.
local new_generation = math.max(NOW, tonumber(generation or 0) + 1, tonumber(cataloged or 0), version, closed)
redis.call('HSET', META, 'generation', new_generation)
if what == 'queue' or what == 'jobs' and not (settings or policy or status == '0') then
  redis.call('PEXPIRE', META, GENERATION_TTL)
else
  -- A queue that never existed may have subscribers, and META an expiry.
  redis.call('PERSIST', META)
end
return tell_layout(what ~= 'queue' and settings, {new_generation, had_jobs, unpack(subscribers)})
