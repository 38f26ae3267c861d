-- Opens or stops a queue, which need not exist.
--
-- ARGV  1 '1' open, '0' stopped
-- Reply 1 always 1
--
-- @keys META
-- @include partition, queue, ready, wakeup

local status = ARGV[1]
allow_when_full()
local waiting_until, packed_settings = unpack(redis.call('HMGET', META, 'waiting-until', 'settings'))
if version_of(packed_settings) > 0 then
  packed_settings = renew_version(packed_settings)
end
redis.call('HSET', META, 'status', status)
redis.call('PERSIST', META)
if status == '1' then
  wake(waiting_until, count_ready())
end
return tell_layout(packed_settings, {1})
