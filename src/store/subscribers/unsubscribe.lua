-- A subscriber goes. What it was not sent goes to the others.
--
-- ARGV  1 subscriber
--       2… the deliveries that it was sent
-- Reply the subscribers that have deliveries now
--
-- @keys META, READY
-- @include counts, delivery, orphan, queue, subscriber, wakeup

local subscriber = ARGV[1]
local packed_settings, waiting_until, status, policy, keeps_replay, slice, next_event = unpack(redis.call(
  'HMGET', META, 'settings', 'waiting-until', 'status', 'policy', 'keeps-replay', 'slice', 'next-event'))
local settings = settings_of(packed_settings)
allow_when_full()
local done = 0
for i = 2, #ARGV do
  done = done + confirm_sent(ARGV[i], settings, keeps_replay)
end
count_done(slice, done + forget_subscriber(subscriber, settings))

local notified = status ~= '0' and distribute(policy, packed_settings, slice, next_event) or {}
wake(waiting_until, redis.call('ZCARD', READY))
local reply = {}
for other in pairs(notified) do
  reply[#reply + 1] = other
end
return tell_orphans(reply)
