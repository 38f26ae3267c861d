-- Acknowledges jobs: they are done.
--
-- KEYS  the queue's
-- ARGV  for each a receipt and a result (JSON text, empty for none)
-- Reply for each 'done', 'repeated', 'cancelled' or 'stale'

local reply = {}
ack_all(1, #ARGV, with_defaults(redis.call('HGET', META, 'settings')), reply)
return reply
