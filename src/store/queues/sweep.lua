-- Frees a period of what is over its time.
--
-- ARGV  none
-- Reply 1 always 1
--
-- @promises nothing
-- @keys META
-- @include sweep

local status, settings = unpack(redis.call('HMGET', META, 'status', 'settings'))
if status then
  sweep(settings)
end
return {1}
