-- A subscriber goes. What it was not sent goes to the others.
--
-- ARGV  1 subscriber
--       2… the deliveries that it was sent
-- Reply the subscribers that have deliveries now
--
-- @promises nothing
-- @keys META
-- @include batch, counts, delivery, orphan, queue, ready, subscriber, wakeup

local subscriber = ARGV[1]
local packed_settings, waiting_until, status, policy, keeps_replay, period, next_event, longest_wait = unpack(redis.call(
  'HMGET', META, 'settings', 'waiting-until', 'status', 'policy', 'keeps-replay', 'period', 'next-event', 'longest-wait'))
local settings = settings_of(packed_settings)
allow_when_full()
local done = 0
for i = 2, #ARGV do
  done = done + confirm_sent(ARGV[i], settings, keeps_replay)
end
count_done(period, done + forget_subscriber(subscriber, settings))

local notified = {}
if status ~= '0' then
  local _, is_behind = let_in(MAX_DISTRIBUTED)
  notified = is_behind and notified or distribute(policy, packed_settings, period, longest_wait, next_event)
end
wake(waiting_until, count_ready())
local reply = {}
for other in pairs(notified) do
  reply[#reply + 1] = other
end
return tell_orphans(reply)
