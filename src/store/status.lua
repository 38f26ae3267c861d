-- Opens or stops a queue, which need not have had a job.
--
-- KEYS  the queue's
-- ARGV  1 '1' open, '0' stopped
-- Reply 1 always 1

although_full()
local waiting = redis.call('HGET', META, 'waiting')
redis.call('HSET', META, 'status', ARGV[1])
redis.call('PERSIST', META)
if ARGV[1] == '1' then
  wake(waiting, size())
end
return {1}
