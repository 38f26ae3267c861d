-- How jobs end. The id is in no set of a state any more when these are called.

-- How many jobs that are over their time are forgotten at once.
local FORGOTTEN = 100

-- Forgets the first jobs of an ended state whose time is over.
local function forget_overdue(key)
  for _, id in ipairs(redis.call('ZRANGE', key, '-inf', NOW, 'BYSCORE', 'LIMIT', 0, FORGOTTEN)) do
    redis.call('ZREM', key, id)
    forget(id)
  end
end

-- Keeps an ended job until a time.
local function keep(key, id, run, until_)
  run.ended = NOW
  save_run(id, run)
  redis.call('ZADD', key, until_, id)
  forget_overdue(key)
end

-- Acknowledged. What the job needs to know of its options was noted when it was claimed, so its payload is not read.
local function complete(id, run, settings)
  release(id, key_until_end(run.rules))
  if settings.retain > 0 then
    keep(DONE, id, run, NOW + settings.retain)
  else
    forget(id)
  end
end

local function bury(id, options, run, settings, reason)
  release(id, key_until_end(options))
  run.reason = reason
  keep(DEAD, id, run, NOW + settings.dead_retain)
  -- The oldest make room, a few at a time where the limit was lowered.
  local over = math.min(FORGOTTEN, redis.call('ZCARD', DEAD) - settings.max_dead)
  if over > 0 then
    for _, oldest in ipairs(redis.call('ZRANGE', DEAD, 0, over)) do
      -- This one may be first, where the time was made shorter: it is the newest all the same.
      if over > 0 and (oldest ~= id or settings.max_dead == 0) then
        redis.call('ZREM', DEAD, oldest)
        forget(oldest)
        over = over - 1
      end
    end
  end
end

-- Calls a job off. A worker that holds it shall learn that until its lease ends.
local function cancel(id, options, run, settings, lease_end)
  release(id, options.unique)
  local until_ = math.max(NOW + settings.retain, lease_end or 0)
  if until_ > NOW then
    keep(CANCELLED, id, run, until_)
  else
    forget(id)
  end
end
