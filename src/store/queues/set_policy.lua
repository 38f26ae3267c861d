-- Sets how a queue's subscribers share its jobs. The queue need not exist.
--
-- ARGV  1 'broadcast' or 'roundrobin'
-- Reply 1 always 1
--
-- @keys META
-- @include partition

local packed_settings = redis.call('HGET', META, 'settings')
redis.call('HSET', META, 'policy', ARGV[1])
if version_of(packed_settings) > 0 then
  packed_settings = renew_version(packed_settings)
end
-- Claims that wait for the queue may have made META, with an expiry.
redis.call('PERSIST', META)
return tell_layout(packed_settings, {1})
