-- Takes a queue out of the catalog, unless it was entered there later.
--
-- ARGV  1 the queue's name
--       2 the last time that may go
-- Reply 1 whether it was taken out: 1 or 0
--
-- @keys CATALOG

local entered = redis.call('ZSCORE', CATALOG, ARGV[1])
if entered and tonumber(entered) <= tonumber(ARGV[2]) then
  return {redis.call('ZREM', CATALOG, ARGV[1])}
end
return {0}
