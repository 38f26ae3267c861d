-- Wakes subscribers.
--
-- ARGV  none
-- Reply 1 always 1
--
-- @promises nothing
-- @keys WAKEUPS...

for _, wakeup in ipairs(WAKEUPS) do
  -- UNLINK comes first: a full Redis lets it pass, and then what follows it.
  redis.call('UNLINK', wakeup)
  redis.call('RPUSH', wakeup, 1)
  redis.call('PEXPIRE', wakeup, 10000)
end
return {1}
