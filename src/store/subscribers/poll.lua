-- A subscriber says that it is present and what it was sent, and gets its next deliveries. Whichever subscriber polls first
-- distributes the ready jobs to all.
--
-- ARGV  1 subscriber
--       2 the queue's generation when it came
--       3 how long it may wait when there is nothing, in milliseconds
--       4 how many jobs at most
--       5 max_bytes: it stops after the job with which the payloads reach so many bytes
--       6 '1' for an event stream, as in subscribe.lua
--       7… the deliveries that it was sent
-- Reply 1 outcome: 'inbox', or 'ended' (the queue was deleted), which has nothing after it
--       2 in how many milliseconds the next lease ends or the next scheduled job is due, 0 when more are ready; nil for never
--       3 whether jobs wait for another subscriber to be sent its deliveries: 1 or 0
--       4 how many other subscribers have deliveries now, then each of them
--       then for each job: delivery, number, is_text (1 or 0), payload
--
-- @promises nothing
-- @keys META, ACTIVE, READY, DELIVERIES, WAKEUP
-- @include batch, clock, counts, delivery, event, job, lease, orphan, partition, queue, subscriber, wakeup

local subscriber, generation, wait = ARGV[1], ARGV[2], tonumber(ARGV[3])
local max_jobs, max_bytes, is_event_stream = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6] == '1'
local packed_settings, waiting_until, status, current_generation, policy, last_poll, keeps_replay, period, next_event,
  longest_wait =
  unpack(redis.call('HMGET', META, 'settings', 'waiting-until', 'status', 'generation', 'policy', 'last-poll', 'keeps-replay',
    'period', 'next-event', 'longest-wait'))
-- Long after a deletion nobody knows of it any more.
if current_generation and current_generation ~= generation then
  return tell_layout(packed_settings, {'ended'})
end
local settings = settings_of(packed_settings)
allow_when_full()
if is_event_stream and not keeps_replay then
  -- META had an expiry: the queue was deleted before this subscriber came.
  keeps_replay = 1
  redis.call('HSET', META, 'keeps-replay', 1)
end

local done = 0
for i = 7, #ARGV do
  done = done + confirm_sent(ARGV[i], settings, keeps_replay)
end
note_present(subscriber)
local done_by_absent, was_outage = forget_absent(last_poll, settings)
count_done(period, done + done_by_absent)

-- The jobs of this subscriber's deliveries stay leased.
for _, delivery in ipairs(deliveries_to(subscriber)) do
  local id = find_delivered(delivery)
  if id then
    redis.call('ZADD', ACTIVE, 'GT', NOW + DELIVERY_LEASE, id)
  else
    redis.call('ZREM', DELIVERIES, delivery)
  end
end

local notified, backlog = {}, nil
if status ~= '0' then
  local _, left, is_behind
  if was_outage then
    _, is_behind = let_in(MAX_DISTRIBUTED)
  elseif may_have_event(next_event) then
    _, left, next_event = handle_events(status, packed_settings, period, MAX_DISTRIBUTED)
  end
  if is_behind or left == 'behind' then
    backlog = 'more'
  else
    notified, backlog = distribute(policy, packed_settings, period, longest_wait, next_event)
  end
end

local reply = {'inbox', false, backlog == 'blocked' and 1 or 0, 0}
for other in pairs(notified) do
  if other ~= subscriber then
    reply[4] = reply[4] + 1
    reply[#reply + 1] = other
  end
end
local given = 0
for _, delivery in ipairs(deliveries_to(subscriber)) do
  if given == max_jobs or max_bytes <= 0 then
    break
  end
  local id = find_delivered(delivery)
  local packed, payload = read_record(id)
  if packed then
    local at = #reply
    reply[at + 1], reply[at + 2] = delivery, string.format('%.0f', number_of(id))
    reply[at + 3], reply[at + 4] = unpack_options(packed).is_text and 1 or 0, payload
    given, max_bytes = given + 1, max_bytes - #payload
  else
    redis.call('ZREM', DELIVERIES, delivery)
    drop_orphan(ACTIVE, id)
  end
end

if backlog == 'more' then
  reply[2] = 0
elseif status ~= '0' then
  local event = first_event()
  reply[2] = event and math.max(0, event - NOW) or false
end
if given == 0 and backlog ~= 'more' then
  if status == '0' or redis.call('EXISTS', READY) == 0 then
    redis.call('UNLINK', WAKEUP)
  end
  note_waiting(waiting_until, status, current_generation, policy, wait)
end
return tell_layout(packed_settings, tell_orphans(reply))
