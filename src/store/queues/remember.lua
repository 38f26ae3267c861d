-- Remembers summaries of queues for overviews, for as long as somebody looks.
--
-- ARGV  1 how many queues follow that are to be forgotten, then these
--       then for each to remember a queue, and its summary
--
-- @keys OVERVIEW

-- How long summaries are kept when nobody looks (ms).
local OVERVIEW_TTL = 600000

local first = tonumber(ARGV[1]) + 2
for i = 2, first - 1 do
  redis.call('HDEL', OVERVIEW, ARGV[i])
end
for i = first, #ARGV, 2 do
  redis.call('HSET', OVERVIEW, ARGV[i], ARGV[i + 1])
end
redis.call('PEXPIRE', OVERVIEW, OVERVIEW_TTL)
return {}
