-- Gives jobs back. One that failed is tried again, at once or later, or is dead; another can be claimed again, at once or later.
--
-- ARGV  for each
--       1 receipt
--       2 the error, empty for none
--       3 milliseconds until the next attempt; empty: what the backoff says, or 0 where the job did not fail
--       4 empty where the job failed; 'rejected' where it is to be dead, and not tried again; 'released' where it did not fail
-- Reply for each an outcome and a number
--       'scheduled', and when the job is due
--       'ready', 'dead', 'repeated', 'cancelled' or 'stale', and 0
--
-- @keys META, ACTIVE, SCHEDULED
-- @include clock, counts, ending, event, execution, queue, ready, receipt, wakeup

local MAX_ERRORS = 5

local packed_settings, waiting_until, period = unpack(redis.call('HMGET', META, 'settings', 'waiting-until', 'period'))
local settings = settings_of(packed_settings)

-- The job can be claimed again, now or later.
local function put_back(id, delay)
  -- A claim that waits must look again: this job may be due before the time until which it blocks.
  wake(waiting_until, 1)
  if delay == 0 then
    make_ready(id)
    return 'ready', 0
  end
  redis.call('ZADD', SCHEDULED, NOW + delay, id)
  note_event(redis.call('HGET', META, 'next-event'), NOW + delay)
  return 'scheduled', NOW + delay
end

local function retry_or_bury(id, rules, execution, delay, is_rejected)
  local is_out = is_out_of_attempts(execution.failures, rules, settings)
  if is_rejected or is_out then
    bury(id, rules, execution, settings, is_rejected and 'rejected' or 'failed')
    return 'dead', 0
  end
  save_execution(id, execution)
  return put_back(id, delay or retry_delay(id, execution.failures, rules, settings))
end

-- Its error is kept apart: what a job failed of must not be forgotten for it.
local function release(id, execution, text, delay)
  local before = execution.released and execution.released.times or 0
  execution.released = {times = before + 1, at = NOW, claim = execution.claims, text = text}
  count_released(period)
  save_execution(id, execution)
  return put_back(id, delay or 0)
end

local function nack(receipt, text, delay, kind)
  local id, execution = find_active(receipt)
  if not id then
    return was_finished(receipt, '-') and 'repeated' or why_not_active(receipt), 0
  end
  redis.call('ZREM', ACTIVE, id)
  remember_finished(id, receipt, '-')
  if kind == 'released' then
    return release(id, execution, text, delay)
  end
  local rules = rules_of(id, execution)
  execution.failures = execution.failures + 1
  execution.errors = execution.errors or {}
  table.insert(execution.errors, {at = NOW, claim = execution.claims, text = text})
  if #execution.errors > MAX_ERRORS then
    table.remove(execution.errors, 1)
  end
  count_failed(period, execution.worker)
  return retry_or_bury(id, rules, execution, delay, kind == 'rejected')
end

local reply = {}
for i = 1, #ARGV, 4 do
  local outcome, at = nack(ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2]), ARGV[i + 3])
  reply[#reply + 1], reply[#reply + 2] = outcome, at
end
return reply
