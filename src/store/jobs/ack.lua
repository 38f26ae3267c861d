-- Acknowledges jobs: they are done.
--
-- ARGV  for each a receipt and a result (JSON text, empty for none)
-- Reply for each 'done', 'repeated', 'cancelled' or 'stale'
--
-- @keys META
-- @include queue, receipt

local reply = {}
ack_all(1, #ARGV, settings_of(redis.call('HGET', META, 'settings')), reply)
return reply
