-- The workers that were seen within a day, the last seen first. Forgets some that were not.
--
-- ARGV  1 how many to pass over
--       2 how many at most
-- Reply for each its member and its time in milliseconds
--
-- @promises nothing
-- @keys ALL_SEEN
-- @include clock

local a_day_ago = NOW - 86400000
local overdue = redis.call('ZRANGE', ALL_SEEN, '-inf', a_day_ago, 'BYSCORE', 'LIMIT', 0, 1000)
if #overdue > 0 then
  redis.call('ZREM', ALL_SEEN, unpack(overdue))
end
return redis.call('ZRANGE', ALL_SEEN, '+inf', '(' .. a_day_ago, 'BYSCORE', 'REV', 'LIMIT', ARGV[1], ARGV[2], 'WITHSCORES')
