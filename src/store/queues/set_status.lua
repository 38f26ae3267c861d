-- Opens or stops a queue, which need not exist.
--
-- ARGV  1 '1' open, '0' stopped
-- Reply 1 always 1
--
-- @keys META
-- @include queue, ready, wakeup

local status = ARGV[1]
allow_when_full()
local waiting_until = redis.call('HGET', META, 'waiting-until')
redis.call('HSET', META, 'status', status)
redis.call('PERSIST', META)
if status == '1' then
  wake(waiting_until, count_ready())
end
return {1}
