-- Sets how a queue's permanent readers share its jobs. The queue need not have had a job.
--
-- KEYS  the queue's
-- ARGV  1 'broadcast' or 'roundrobin'
-- Reply 1 always 1

redis.call('HSET', META, 'policy', ARGV[1])
-- Claims that wait for the queue may have made its meta hash, for a time.
redis.call('PERSIST', META)
return {1}
