-- How jobs end. The id must be in no set of a state any more when these are called.
--
-- @keys DONE, DEAD, CANCELLED
-- @include clock, execution, job, unique_key

-- How many jobs are forgotten at once.
local MAX_FORGOTTEN = 100

-- Forgets the first jobs of an ended state whose retention is over.
local function forget_overdue(state_key)
  for _, id in ipairs(redis.call('ZRANGE', state_key, '-inf', NOW, 'BYSCORE', 'LIMIT', 0, MAX_FORGOTTEN)) do
    redis.call('ZREM', state_key, id)
    forget(id)
  end
end

-- Keeps an ended job until a time.
local function keep_until(state_key, id, execution, until_)
  execution.ended = NOW
  save_execution(id, execution)
  redis.call('ZADD', state_key, until_, id)
  forget_overdue(state_key)
end

-- The job is done. Its rules were noted when it was claimed, so its payload is not read.
local function complete(id, execution, settings)
  release_unique_key(id, key_released_at_end(execution.rules))
  if settings.retain > 0 then
    keep_until(DONE, id, execution, NOW + settings.retain)
  else
    forget(id)
  end
end

-- The job is dead. `rules` are its rules, or all its options.
local function bury(id, rules, execution, settings, reason)
  release_unique_key(id, key_released_at_end(rules))
  execution.reason = reason
  keep_until(DEAD, id, execution, NOW + settings.dead_retain)
  -- The oldest are forgotten, a few at a time where the limit was lowered.
  local excess = math.min(MAX_FORGOTTEN, redis.call('ZCARD', DEAD) - settings.max_dead)
  if excess > 0 then
    for _, oldest in ipairs(redis.call('ZRANGE', DEAD, 0, excess)) do
      -- After `dead_retain` was shortened, the job that was just buried may come first. It is kept, unless max_dead is 0.
      if excess > 0 and (oldest ~= id or settings.max_dead == 0) then
        redis.call('ZREM', DEAD, oldest)
        forget(oldest)
        excess = excess - 1
      end
    end
  end
end

-- The job is cancelled. `rules` as for bury. A worker that has it must be able to learn that until its lease ends.
local function cancel(id, rules, execution, settings, lease_end)
  release_unique_key(id, rules.unique)
  local until_ = math.max(NOW + settings.retain, lease_end or 0)
  if until_ > NOW then
    keep_until(CANCELLED, id, execution, until_)
  else
    forget(id)
  end
end
