-- A worker leaves a queue. What it held, where the queue delivers at least once, is finished.
--
-- KEYS  the queue's
-- ARGV  1 worker id
-- Reply 1 how many jobs it has processed on this queue, nil when it was not registered
--       2 how many it has failed, nil as above

count_done(finish_held(ARGV[1], with_defaults(redis.call('HGET', META, 'settings'))))
local reply = {redis.call('HGET', WORKERS, ARGV[1]), redis.call('HGET', FAILURES, ARGV[1])}
redis.call('HDEL', WORKERS, ARGV[1])
redis.call('HDEL', FAILURES, ARGV[1])
return reply
