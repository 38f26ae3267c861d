-- Wakes readers.
--
-- KEYS  what each of them waits for
-- Reply 1 always 1

for _, bell in ipairs(KEYS) do
  redis.call('RPUSH', bell, 1)
  redis.call('LTRIM', bell, 0, 0)
  redis.call('PEXPIRE', bell, 10000)
end
return {1}
