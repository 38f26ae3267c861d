-- How jobs end. The id must be in no set of a state any more when these are called.
--
-- @keys DONE, DEAD, CANCELLED
-- @include clock, counts, execution, job, unique_key

-- How many jobs are forgotten at once.
local MAX_FORGOTTEN = 100

-- Forgets the first jobs of an ended state whose retention is over. Returns how many.
local function forget_overdue(state_key)
  local overdue = redis.call('ZRANGE', state_key, '-inf', NOW, 'BYSCORE', 'LIMIT', 0, MAX_FORGOTTEN)
  for _, id in ipairs(overdue) do
    redis.call('ZREM', state_key, id)
    forget(id)
  end
  return #overdue
end

-- Keeps an ended job until a time.
-- @rare
local function keep_until(state_key, id, execution, until_)
  execution.ended = NOW
  save_execution(id, execution)
  redis.call('ZADD', state_key, until_, id)
  forget_overdue(state_key)
end

-- Releases the unique key of a job that ends. `rules` are its rules, or all its options.
-- @rare
local function release_at_end(id, rules)
  release_unique_key(id, key_released_at_end(rules))
end

-- The job is done, and kept for a time (ms). Its rules were noted when it was claimed, so its payload is not read.
local function complete(id, execution, retain)
  if execution.rules.unique then
    release_at_end(id, execution.rules)
  end
  if retain > 0 then
    keep_until(DONE, id, execution, NOW + retain)
  else
    forget(id)
  end
end

-- Forgets the first dead jobs that are too many, a few at a time where the limit was lowered. `newest` is the job that has
-- just died, if any: after `dead_retain` was shortened it may come first. It is kept, unless max_dead is 0. Returns how many
-- are forgotten.
local function forget_excess_dead(settings, newest)
  local excess = math.min(MAX_FORGOTTEN, redis.call('ZCARD', DEAD) - settings.max_dead)
  local left = excess
  for _, id in ipairs(excess > 0 and redis.call('ZRANGE', DEAD, 0, excess) or {}) do
    if left > 0 and (id ~= newest or settings.max_dead == 0) then
      redis.call('ZREM', DEAD, id)
      forget(id)
      left = left - 1
    end
  end
  return math.max(0, excess)
end

-- The job is dead. `rules` are its rules, or all its options.
local function bury(id, rules, execution, settings, reason)
  release_at_end(id, rules)
  execution.reason = reason
  keep_until(DEAD, id, execution, NOW + settings.dead_retain)
  count_dead()
  forget_excess_dead(settings, id)
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
