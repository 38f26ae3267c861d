-- Subscribers: they stay, and are sent a queue's jobs as they come.
--
--   SUBSCRIBERS  a sorted set: subscribers, by when they count as gone (ms) unless they poll again
--   DELIVERIES   a sorted set, all scores 0: what is to be sent to each subscriber. A delivery is the subscriber, its
--                position, the receipt. The job is active under a lease that the subscriber extends: nobody else gets it
--                meanwhile, and when all its subscribers are gone it comes back like any other job.
--
-- @keys META, SUBSCRIBERS
-- @include clock, delivery

-- How long a subscriber counts as present after it polled, in ms.
local PRESENCE_TTL = 12000

-- When nobody polled for so long (ms), it was not the subscribers that were gone, but the store: they poll every five
-- seconds.
local OUTAGE_AFTER = 8000

-- How many absent subscribers are forgotten at once.
local MAX_ABSENT = 10

-- Subscribers sort by when they came.
local function new_subscriber(number)
  return string.format('%011x%05x', NOW, number % 2 ^ 20)
end

local function note_present(subscriber)
  redis.call('ZADD', SUBSCRIBERS, NOW + PRESENCE_TTL, subscriber)
  redis.call('PEXPIRE', SUBSCRIBERS, 2 * PRESENCE_TTL)
end

-- Forgets a subscriber. Returns how many jobs are done by that.
local function forget_subscriber(subscriber, settings)
  local done = 0
  for _, delivery in ipairs(deliveries_to(subscriber)) do
    done = done + drop_delivery(delivery, settings)
  end
  redis.call('ZREM', SUBSCRIBERS, subscriber)
  return done
end

-- Forgets the first subscribers that did not poll in time. Takes the time of the last poll, the field `last-poll` of META.
-- Returns how many jobs are done by that, and whether those whose time had passed were given more instead, after an outage.
local function forget_absent(last_poll, settings)
  local was_outage = last_poll and tonumber(last_poll) < NOW - OUTAGE_AFTER or false
  local max_absent, done = was_outage and -1 or MAX_ABSENT, 0
  local absent = redis.call('ZRANGE', SUBSCRIBERS, '-inf', NOW, 'BYSCORE', 'LIMIT', 0, max_absent)
  for _, subscriber in ipairs(absent) do
    if was_outage then
      redis.call('ZADD', SUBSCRIBERS, NOW + PRESENCE_TTL, subscriber)
    else
      done = done + forget_subscriber(subscriber, settings)
    end
  end
  redis.call('HSET', META, 'last-poll', NOW)
  return done, was_outage
end
