-- How claims and subscribers that wait are woken. They block on a list of tokens, never on jobs.
--
-- @keys META, JOBS, READY, BATCHES, WAKEUP
-- @include clock

local MAX_TOKENS = 100

-- Wakes up to `count` of those that wait. Takes the field `waiting-until` of META, which says until when somebody may wait.
local function wake(waiting_until, count)
  if count > 0 and waiting_until and tonumber(waiting_until) > NOW then
    local tokens = {}
    for i = 1, math.min(count, MAX_TOKENS) do
      tokens[i] = 1
    end
    redis.call('RPUSH', WAKEUP, unpack(tokens))
    redis.call('LTRIM', WAKEUP, 0, MAX_TOKENS - 1)
    redis.call('PEXPIRE', WAKEUP, 10000)
  end
end

-- Notes that somebody may wait for `time` ms: then inserts push tokens. Takes the fields `waiting-until`, `status`,
-- `generation` and `policy` of META.
local function note_waiting(waiting_until, status, generation, policy, time)
  redis.call('HSET', META, 'waiting-until', math.max(NOW + time, tonumber(waiting_until or 0)))
  if not (status or generation or policy) and redis.call('EXISTS', JOBS, READY, BATCHES) == 0 then
    -- The queue never existed, and may never exist.
    redis.call('PEXPIRE', META, time + 10000)
  end
end
