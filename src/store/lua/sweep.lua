-- Frees what is over its time. Ended jobs are forgotten when others of their state end, and when a claim finds nothing; this
-- is for queues where neither happens.
--
-- @keys META, DONE, DEAD, CANCELLED
-- @include clock, counts, ending, queue

-- Frees some of each. Takes the field `settings` of META.
-- @rare
local function sweep(packed_settings)
  -- Looks must go on when Redis is full, and so must this.
  allow_when_full()
  local most = math.max(forget_overdue(DONE), forget_overdue(DEAD), forget_overdue(CANCELLED))
  most = math.max(most, forget_excess_dead(settings_of(packed_settings)))
  local period = redis.call('HGET', META, 'period')
  if period and is_period_over(period) then
    redis.call('HDEL', META, 'period', 'rates', 'history', 'longest-wait')
  end
  -- After as many as one call frees there may be more: then the next call goes on.
  redis.call('HSET', META, 'sweep-at', most < MAX_FORGOTTEN and NOW + SWEEP_INTERVAL or NOW)
end

-- Sweeps when it is time: for looks. Takes the fields `sweep-at` and `settings` of META of a queue that exists.
local function sweep_when_due(sweep_at, packed_settings)
  if sweep_at and tonumber(sweep_at) <= NOW then
    sweep(packed_settings)
  end
end

-- A script's reply. When it is time to sweep, it says so in front, and the store runs sweep.lua: see `Store::run_with`. For
-- inserts, which would pay for each key of that on every run.
local function tell_sweep(sweep_at, reply)
  if sweep_at and tonumber(sweep_at) <= NOW then
    table.insert(reply, 1, {ok = 'sweep'})
  end
  return reply
end
