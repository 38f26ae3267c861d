-- Deliveries: jobs that are to be sent to subscribers, and those that were.
--
-- The execution of such a job has the field `distribution`: to how many subscribers it is still to be sent (`remaining`),
-- whether one was sent it (`sent`), and which subscriber alone gets it (`sole_recipient`, empty where all do).
--
--   REPLAY       a list: what was sent, the last of it, for an event stream that was cut off and says which job it got last
--
-- @keys META, ACTIVE, READY, SUBSCRIBERS, DELIVERIES, REPLAY
-- @include clock, counts, ending, event, execution, job, lease, ready, receipt

-- How long the lease of a job is that is to be delivered, in ms.
local DELIVERY_LEASE = 20000

-- How many deliveries a subscriber can have.
local MAX_DELIVERIES = 100

local SUBSCRIBER_LENGTH, POSITION_LENGTH = 16, 13

local function delivery_of(subscriber, position, receipt)
  return subscriber .. string.format('%013x', position) .. receipt
end

local function subscriber_in(delivery)
  return string.sub(delivery, 1, SUBSCRIBER_LENGTH)
end

local function receipt_in(delivery)
  return string.sub(delivery, SUBSCRIBER_LENGTH + POSITION_LENGTH + 1)
end

local function deliveries_to(subscriber)
  return redis.call('ZRANGE', DELIVERIES, '[' .. subscriber, '(' .. subscriber .. '~', 'BYLEX', 'LIMIT', 0, MAX_DELIVERIES)
end

local function count_deliveries_to(subscriber)
  return redis.call('ZLEXCOUNT', DELIVERIES, '[' .. subscriber, '(' .. subscriber .. '~')
end

-- The id and the execution of the job of a delivery; nil when the delivery is over.
local function find_delivered(delivery)
  local id, execution = find_active(receipt_in(delivery))
  if id and execution.distribution then
    return id, execution
  end
end

-- How much is kept for replay: jobs, bytes, ms.
local MAX_REPLAY, MAX_REPLAY_BYTES, REPLAY_TTL = 1000, 1048576, 600000

-- Keeps a job that was sent for replay. `sole_recipient` is the subscriber that alone got it, empty where all do.
local function keep_for_replay(id, sole_recipient)
  local packed, payload = read_record(id)
  if not packed or #payload > MAX_REPLAY_BYTES then
    return
  end
  local is_text = unpack_options(packed).is_text and 1 or 0
  local record = cmsgpack.pack({number_of(id), sole_recipient, is_text, payload})
  local length, bytes = redis.call('RPUSH', REPLAY, record), #record
  if length == 1 then
    redis.call('HSET', META, 'replay-bytes', bytes)
  else
    bytes = redis.call('HINCRBY', META, 'replay-bytes', bytes)
  end
  while length > MAX_REPLAY or bytes > MAX_REPLAY_BYTES and length > 1 do
    bytes = redis.call('HINCRBY', META, 'replay-bytes', -#redis.call('LPOP', REPLAY))
    length = length - 1
  end
  redis.call('PEXPIRE', REPLAY, REPLAY_TTL)
end

-- The job of a delivery is done. Returns 1: one job is done.
local function complete_delivered(id, execution, settings)
  redis.call('ZREM', ACTIVE, id)
  complete(id, execution, settings.retain)
  return 1
end

-- A delivery was sent to its subscriber. Returns how many jobs are done by that.
local function confirm_sent(delivery, settings, keeps_replay)
  local id, execution
  if redis.call('ZREM', DELIVERIES, delivery) == 1 then
    id, execution = find_delivered(delivery)
  end
  if not id then
    return 0
  end
  local distribution = execution.distribution
  if keeps_replay and not distribution.sent then
    keep_for_replay(id, distribution.sole_recipient)
  end
  if distribution.remaining > 1 then
    distribution.remaining, distribution.sent = distribution.remaining - 1, true
    save_execution(id, execution)
    return 0
  end
  return complete_delivered(id, execution, settings)
end

-- A delivery will not be sent. Its job becomes ready, unless other subscribers have it too. Returns how many jobs are done
-- by that.
local function drop_delivery(delivery, settings)
  redis.call('ZREM', DELIVERIES, delivery)
  local id, execution = find_delivered(delivery)
  if not id then
    return 0
  end
  local distribution = execution.distribution
  if distribution.remaining > 1 then
    distribution.remaining = distribution.remaining - 1
    save_execution(id, execution)
    return 0
  end
  if distribution.sent then
    return complete_delivered(id, execution, settings)
  end
  redis.call('ZREM', ACTIVE, id)
  make_ready(id)
  return 0
end

-- How many jobs are distributed in one call, how many bytes of them, and how many deliveries are made of them.
local MAX_DISTRIBUTED, MAX_DISTRIBUTED_BYTES, MAX_NEW_DELIVERIES = 100, 4194304, 5000

-- The subscribers whose turn it is, job by job: in the order in which they came, after the one who was last, until one has
-- all the deliveries that it can have. The others wait for that one, so that all get equally many.
local function turns_of(subscribers)
  local last = redis.call('HGET', META, 'last-turn') or ''
  local at, counts = 1, {}
  for i = #subscribers, 1, -1 do
    counts[i] = count_deliveries_to(subscribers[i])
    if subscribers[i] > last then
      at = i
    end
  end
  local turns = {}
  while #turns < MAX_DISTRIBUTED and counts[at] < MAX_DELIVERIES do
    turns[#turns + 1] = subscribers[at]
    counts[at] = counts[at] + 1
    at = at % #subscribers + 1
  end
  return turns
end

-- How many jobs can go to all subscribers, until one has all the deliveries that it can have.
local function max_broadcast(subscribers)
  local max_jobs = math.max(1, math.min(MAX_DISTRIBUTED, math.floor(MAX_NEW_DELIVERIES / #subscribers)))
  for _, subscriber in ipairs(subscribers) do
    max_jobs = math.min(max_jobs, MAX_DELIVERIES - count_deliveries_to(subscriber))
  end
  return max_jobs
end

-- Makes deliveries of the next jobs. Takes the fields `policy`, `settings`, `period`, `longest-wait` and `next-event` of META.
-- Returns the subscribers that have some by that, as the keys of a table; and 'more' when there may be more jobs at once, 'blocked' when
-- jobs wait for a subscriber that has all the deliveries that it can have.
local function distribute(policy, packed_settings, period, longest_wait, next_event)
  local subscribers, notified = redis.call('ZRANGE', SUBSCRIBERS, AFTER_NOW, '+inf', 'BYSCORE'), {}
  if #subscribers == 0 or redis.call('EXISTS', READY) == 0 then
    return notified
  end
  table.sort(subscribers)
  local turns = policy == 'roundrobin' and turns_of(subscribers)
  local max_jobs = turns and #turns or max_broadcast(subscribers)
  if max_jobs == 0 then
    return notified, 'blocked'
  end
  local position, distributed = redis.call('HINCRBY', META, 'delivery-sequence', max_jobs) - max_jobs, 0
  local taken, _, wait, waited = pop_ready(max_jobs, MAX_DISTRIBUTED_BYTES, packed_settings, function(job)
    distributed = distributed + 1
    local sole_recipient = turns and turns[distributed]
    local recipients = sole_recipient and {sole_recipient} or subscribers
    local distribution = {remaining = #recipients, sole_recipient = sole_recipient or ''}
    local receipt = lease_out(job, '', DELIVERY_LEASE, nil, distribution)
    for _, subscriber in ipairs(recipients) do
      redis.call('ZADD', DELIVERIES, 0, delivery_of(subscriber, position + distributed, receipt))
      notified[subscriber] = true
    end
  end)
  if taken > 0 then
    count_claimed(period, longest_wait, '', taken, wait, waited)
    note_event(next_event, NOW + DELIVERY_LEASE)
    redis.call('PEXPIRE', DELIVERIES, 86400000)
    if turns then
      redis.call('HSET', META, 'last-turn', turns[taken])
    end
  end
  return notified, redis.call('EXISTS', READY) == 1 and 'more' or nil
end
