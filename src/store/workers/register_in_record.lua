-- Notes in a legacy worker's record that it is registered on a queue. A worker that registers there again starts anew: it
-- has crashed without unregistering.
--
-- ARGV  1 the record's field for the queue
-- Reply 1 always 1
--
-- @keys WORKER_RECORD

local is_again = redis.call('HSET', WORKER_RECORD, ARGV[1], 1) == 0
if is_again then
  redis.call('HDEL', WORKER_RECORD, 'processed', 'failed')
end
if is_again or redis.call('HEXISTS', WORKER_RECORD, 'started') == 0 then
  redis.call('HSET', WORKER_RECORD, 'started', redis.call('TIME')[1])
end
return {1}
