-- Notes in a worker's record that it is registered on a queue. A worker that registers there again starts anew: it has
-- crashed without a word.
--
-- KEYS  1 the worker's record
-- ARGV  1 the record's field for the queue
-- Reply 1 always 1

local again = redis.call('HSET', KEYS[1], ARGV[1], 1) == 0
if again then
  redis.call('HDEL', KEYS[1], 'processed', 'failed')
end
if again or redis.call('HEXISTS', KEYS[1], 'started') == 0 then
  redis.call('HSET', KEYS[1], 'started', redis.call('TIME')[1])
end
return {1}
