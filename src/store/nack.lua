-- Gives jobs back that failed.
--
-- KEYS  the queue's
-- ARGV  for each
--       1 receipt
--       2 what went wrong, empty for nothing said
--       3 milliseconds until the next attempt, empty for as the rules say
--       4 '1' when there shall be none
-- Reply for each an outcome and a number
--       'scheduled', and when it is due
--       'ready', 'dead', 'repeated', 'cancelled', 'stale', and 0

local ERRORS = 5

local meta = redis.call('HMGET', META, 'settings', 'waiting')
local settings = with_defaults(meta[1])

local function retry_or_bury(id, run, delay, dead)
  local options = rules_of(id, run)
  if dead then
    bury(id, options, run, settings, 'nacked')
    return 'dead', 0
  end
  if dies_of_failure(run.failures, options, settings) then
    bury(id, options, run, settings, 'failed')
    return 'dead', 0
  end
  save_run(id, run)
  delay = delay or retry_delay(id, run.failures, options, settings)
  -- A waiting claim must look anew: this may be due before what it waits for.
  wake(meta[2], 1)
  if delay == 0 then
    to_ready(id)
    return 'ready', 0
  end
  redis.call('ZADD', SCHEDULED, NOW + delay, id)
  return 'scheduled', NOW + delay
end

local function nack(receipt, text, delay, dead)
  local run, id = holding(receipt)
  if not run then
    return was_settled(receipt, '-') and 'repeated' or id, 0
  end
  redis.call('ZREM', ACTIVE, id)
  run.failures = run.failures + 1
  run.errors = run.errors or {}
  table.insert(run.errors, {at = NOW, claim = run.claims, text = text})
  if #run.errors > ERRORS then
    table.remove(run.errors, 1)
  end
  remember(receipt, '-')
  count_failed(run.worker)
  return retry_or_bury(id, run, delay, dead)
end

local reply = {}
for i = 1, #ARGV, 4 do
  local outcome, at = nack(ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2]), ARGV[i + 3] == '1')
  reply[#reply + 1], reply[#reply + 2] = outcome, at
end
return reply
