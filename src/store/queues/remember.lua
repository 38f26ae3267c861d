-- Remembers summaries of queues for overviews, for as long as somebody looks.
--
-- ARGV  for each a queue, and its summary, empty for one that does not exist: it is forgotten
-- Reply nothing
--
-- @promises nothing
-- @keys OVERVIEW

-- How long summaries are kept when nobody looks (ms).
local OVERVIEW_TTL = 600000

for i = 1, #ARGV, 2 do
  if ARGV[i + 1] == '' then
    redis.call('HDEL', OVERVIEW, ARGV[i])
  else
    redis.call('HSET', OVERVIEW, ARGV[i], ARGV[i + 1])
  end
end
redis.call('PEXPIRE', OVERVIEW, OVERVIEW_TTL)
return {}
