-- A subscriber comes, to stay.
--
-- ARGV  1 how many subscribers there may be
--       2 '1' for an event stream: what is sent is kept for replay from then on
--       3 the number of the job that it got last before it was cut off, else empty
--       4 '1' for an event stream that ends by itself
-- Reply 1 the subscriber, empty when there are too many
--       2 the queue's generation: the subscriber ends with that
--       3 the number of the job that was last sent to all; 0 when none is kept, ARGV 3 has a number, or ARGV 4 is empty
--       then for each job that it missed: number, is_text (1 or 0), payload
--
-- @promises nothing
-- @keys META, SUBSCRIBERS, DELIVERIES, REPLAY
-- @include counts, delivery, execution, partition, queue, subscriber, wakeup

-- What was sent after the job of this number to those who got that job. When the job is not in the replay any more: what was
-- sent to all since. Records of what one subscriber alone got are rewritten as this one's.
local function missed(number, subscriber)
  local records, from, former_subscriber = redis.call('LRANGE', REPLAY, 0, -1), 1, ''
  for i, record in ipairs(records) do
    records[i] = cmsgpack.unpack(record)
    if records[i][1] == number then
      from, former_subscriber = i + 1, records[i][2]
    end
  end
  local jobs = {}
  for i = from, #records do
    local job_number, sole_recipient, is_text, payload = unpack(records[i])
    if (sole_recipient == '' or sole_recipient == former_subscriber) and (from > 1 or job_number > number) then
      jobs[#jobs + 1] = {string.format('%.0f', job_number), is_text, payload}
      if sole_recipient ~= '' then
        redis.call('LSET', REPLAY, i - 1, cmsgpack.pack({job_number, subscriber, is_text, payload}))
      end
    end
  end
  return jobs
end

-- The number of the last job in the replay that went to all; 0 when there is none.
local function last_sent_to_all()
  for i = -1, -MAX_REPLAY, -1 do
    local record = redis.call('LRANGE', REPLAY, i, i)[1]
    if not record then
      return 0
    end
    local job_number, sole_recipient = unpack(cmsgpack.unpack(record))
    if sole_recipient == '' then
      return job_number
    end
  end
  return 0
end

-- Adds this subscriber to the jobs that go to all and that nobody was sent yet. The first subscriber that has deliveries has
-- one for each of these jobs.
local function share_deliveries(subscriber)
  local first = redis.call('ZRANGE', DELIVERIES, 0, 0)[1]
  for _, delivery in ipairs(first and deliveries_to(subscriber_in(first)) or {}) do
    local id, execution = find_delivered(delivery)
    if id and execution.distribution.sole_recipient == '' and not execution.distribution.sent then
      execution.distribution.remaining = execution.distribution.remaining + 1
      save_execution(id, execution)
      redis.call('ZADD', DELIVERIES, 0, subscriber .. string.sub(delivery, SUBSCRIBER_LENGTH + 1))
    end
  end
end

local max_subscribers, is_event_stream, last = tonumber(ARGV[1]), ARGV[2] == '1', ARGV[3]
local packed_settings, waiting_until, status, generation, policy, last_poll, period = unpack(redis.call(
  'HMGET', META, 'settings', 'waiting-until', 'status', 'generation', 'policy', 'last-poll', 'period'))
local settings = settings_of(packed_settings)
-- Subscribers empty a queue.
allow_when_full()
if redis.call('EXISTS', SUBSCRIBERS) == 0 then
  -- What the last subscribers left: its jobs come back when their leases end.
  redis.call('UNLINK', DELIVERIES)
end
count_done(period, (forget_absent(last_poll, settings)))
if redis.call('ZCARD', SUBSCRIBERS) >= max_subscribers then
  return tell_layout(packed_settings, {'', 0, 0})
end
local subscriber = new_subscriber(redis.call('HINCRBY', META, 'subscriber-sequence', 1))
note_present(subscriber)
note_waiting(waiting_until, status, generation, policy, PRESENCE_TTL)

local reply = {subscriber, tonumber(generation or 0), 0}
if is_event_stream then
  redis.call('HSET', META, 'keeps-replay', 1)
  if last == '' and ARGV[4] == '1' then
    reply[3] = last_sent_to_all()
  end
end
if last ~= '' then
  for _, job in ipairs(missed(tonumber(last), subscriber)) do
    reply[#reply + 1], reply[#reply + 2], reply[#reply + 3] = unpack(job)
  end
  share_deliveries(subscriber)
end
return tell_layout(packed_settings, reply)
