-- A worker leaves a queue.
--
-- KEYS  1 worker counts, 2 worker failures
-- ARGV  1 worker id
-- Reply 1 how many jobs it has processed on this queue, nil when it was not registered
--       2 how many it has failed, nil as above

local reply = {redis.call('HGET', KEYS[1], ARGV[1]), redis.call('HGET', KEYS[2], ARGV[1])}
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
return reply
