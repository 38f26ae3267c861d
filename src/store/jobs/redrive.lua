-- Makes dead jobs ready again, as if they had never failed. One whose unique key is held by now stays dead.
--
-- ARGV  1 how many at most, the oldest first; 0 where ids are given
--       2… ids
-- Reply 1 how many are ready again
--       2 how many stay dead because their unique key is held
--       3 how many of the ids are not of dead jobs
--       4 how many are dead now
--
-- @keys META, JOBS, DEAD
-- @include clock, execution, holder, orphan, ready, unique_key, wakeup

local max_jobs, ids, unknown = tonumber(ARGV[1]), {unpack(ARGV, 2)}, 0
if max_jobs > 0 then
  ids = redis.call('ZRANGE', DEAD, AFTER_NOW, '+inf', 'BYSCORE', 'LIMIT', 0, max_jobs)
end
local packed_settings, waiting_until = unpack(redis.call('HMGET', META, 'settings', 'waiting-until'))
local redriven, conflicts = 0, 0
for _, id in ipairs(ids) do
  local kept_until = redis.call('ZSCORE', DEAD, id)
  if not kept_until or tonumber(kept_until) <= NOW then
    unknown = unknown + 1
  elseif redis.call('HEXISTS', JOBS, id) == 0 then
    drop_orphan(DEAD, id)
    unknown = unknown + 1
  else
    local execution = load_execution(id)
    local key = key_released_at_end(rules_of(id, execution))
    local holder, held_until, is_free = nil, nil, true
    if key then
      holder, held_until = holder_of(key)
    end
    if holder then
      -- Its holder may be buried, which may forget the oldest dead jobs. This one must not be among them.
      redis.call('ZREM', DEAD, id)
      is_free = free_unique_key(key, holder, held_until, packed_settings)
    end
    if not is_free then
      redis.call('ZADD', DEAD, kept_until, id)
      conflicts = conflicts + 1
    else
      execution.failures, execution.lost_leases, execution.redriven = 0, 0, true
      execution.reason, execution.ended = nil, nil
      save_execution(id, execution)
      if key then
        hold_unique_key(id, key)
      end
      redis.call('ZREM', DEAD, id)
      make_ready(id)
      redriven = redriven + 1
    end
  end
end
wake(waiting_until, redriven)
return tell_orphans({redriven, conflicts, unknown, redis.call('ZCOUNT', DEAD, AFTER_NOW, '+inf')})
