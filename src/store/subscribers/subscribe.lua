-- A subscriber comes, to stay.
--
-- ARGV  1 how many subscribers there may be
--       2 '1' for an event stream: what is sent is kept for replay from then on
--       3 the number of the job that it got last before it was cut off, else empty
-- Reply 1 the subscriber, empty when there are too many
--       2 the queue's generation: the subscriber ends with that
--       then for each job that it missed: number, '1' for a text, payload
--
-- @keys META, SUBSCRIBERS, DELIVERIES, REPLAY
-- @include counts, delivery, execution, queue, subscriber, wakeup

-- What was sent after this job to those who got it. Of a job that is not known any more, what was sent to all. What one
-- subscriber alone got is kept as this one's.
local function missed(number, subscriber)
  local records, from, owner = redis.call('LRANGE', REPLAY, 0, -1), 1, ''
  for i, record in ipairs(records) do
    records[i] = cmsgpack.unpack(record)
    if records[i][1] == number then
      from, owner = i + 1, records[i][2]
    end
  end
  local jobs = {}
  for i = from, #records do
    local job_number, to, text, payload = unpack(records[i])
    if (to == '' or to == owner) and (from > 1 or job_number > number) then
      jobs[#jobs + 1] = {string.format('%.0f', job_number), text, payload}
      if to ~= '' then
        redis.call('LSET', REPLAY, i - 1, cmsgpack.pack({job_number, subscriber, text, payload}))
      end
    end
  end
  return jobs
end

-- Gives this subscriber, too, the deliveries that all have and none was sent. Of the subscribers who were there when the jobs
-- were distributed, the first has all of these.
local function share_deliveries(subscriber)
  local first = redis.call('ZRANGE', DELIVERIES, 0, 0)[1]
  for _, delivery in ipairs(first and deliveries_to(subscriber_in(first)) or {}) do
    local id, execution = find_delivered(delivery)
    if id and execution.delivery.to == '' and not execution.delivery.sent then
      execution.delivery.copies = execution.delivery.copies + 1
      save_execution(id, execution)
      redis.call('ZADD', DELIVERIES, 0, subscriber .. string.sub(delivery, SUBSCRIBER_LENGTH + 1))
    end
  end
end

local max_subscribers, is_event_stream, last = tonumber(ARGV[1]), ARGV[2] == '1', ARGV[3]
local packed_settings, waiting, status, generation, policy, polled =
  unpack(redis.call('HMGET', META, 'settings', 'waiting', 'status', 'generation', 'policy', 'polled'))
local settings = settings_of(packed_settings)
if redis.call('EXISTS', SUBSCRIBERS) == 0 then
  -- What the last subscribers left: its jobs come back when their leases end.
  redis.call('UNLINK', DELIVERIES)
end
count_done((forget_absent(polled, settings)))
if redis.call('ZCARD', SUBSCRIBERS) >= max_subscribers then
  return {'', 0}
end
local subscriber = new_subscriber(redis.call('HINCRBY', META, 'subscribed', 1))
note_present(subscriber)
note_waiting(waiting, status, generation, policy, PRESENCE)

local reply = {subscriber, tonumber(generation or 0)}
if is_event_stream then
  redis.call('HSET', META, 'keeps-replay', 1)
end
if last ~= '' then
  for _, job in ipairs(missed(tonumber(last), subscriber)) do
    reply[#reply + 1], reply[#reply + 2], reply[#reply + 3] = unpack(job)
  end
  share_deliveries(subscriber)
end
return reply
