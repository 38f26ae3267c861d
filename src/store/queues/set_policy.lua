-- Sets how a queue's subscribers share its jobs. The queue need not exist.
--
-- ARGV  1 'broadcast' or 'roundrobin'
-- Reply 1 always 1
--
-- @keys META

redis.call('HSET', META, 'policy', ARGV[1])
-- Claims that wait for the queue may have made META, with an expiry.
redis.call('PERSIST', META)
return {1}
