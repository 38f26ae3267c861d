-- Acknowledges jobs: they are done.
--
-- ARGV  for each a receipt and a result (JSON text, empty for none)
-- Reply for each 'done', 'repeated', 'cancelled' or 'stale'
--
-- @keys META
-- @include queue, receipt

local packed_settings, period = unpack(redis.call('HMGET', META, 'settings', 'period'))
local retain, reply = DEFAULT_RETAIN, {}
if packed_settings then
  retain = settings_of(packed_settings).retain
end
ack_all(1, #ARGV, retain, period, reply)
return reply
