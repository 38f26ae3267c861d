-- Events: leases that end, scheduled jobs that become due, and batches that wait to be taken in, which are events at once.
--
-- @keys META, ACTIVE, SCHEDULED, BATCHES
-- @include clock

-- The field `next-event` of META is a time (ms) before which there is no event: until then no call looks for any. Without the
-- field each call looks. An event may come later than it says, as when its job was acknowledged.

-- After how long calls look in any case (ms).
local MAX_QUIET = 60000

-- Whether there may be an event. Takes the field `next-event` of META.
local function may_have_event(next_event)
  return not next_event or next_event - NOW <= 0
end

-- Notes that there will be an event at a time (ms). Takes the field `next-event` of META.
local function note_event(next_event, at)
  if next_event and at < tonumber(next_event) then
    redis.call('HSET', META, 'next-event', at)
  end
end

-- When the next event is (ms), nil for never.
local function first_event()
  if redis.call('EXISTS', BATCHES) == 1 then
    return NOW
  end
  local lease = redis.call('ZRANGE', ACTIVE, 0, 0, 'WITHSCORES')[2]
  local due = redis.call('ZRANGE', SCHEDULED, 0, 0, 'WITHSCORES')[2]
  if lease and due then
    return math.min(tonumber(lease), tonumber(due))
  end
  return tonumber(lease or due)
end

-- Notes when the first event is. Returns what the field `next-event` of META is then.
local function note_first_event()
  local next_event = math.min(first_event() or math.huge, NOW + MAX_QUIET)
  redis.call('HSET', META, 'next-event', next_event)
  return next_event
end
