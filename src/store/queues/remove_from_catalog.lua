-- Takes a queue out of the catalog, unless a later generation of it was entered meanwhile.
--
-- ARGV  1 the queue's name
--       2 the last generation that may go
-- Reply 1 whether it was taken out: 1 or 0
--
-- @keys CATALOG

local generation = redis.call('ZSCORE', CATALOG, ARGV[1])
if generation and tonumber(generation) <= tonumber(ARGV[2]) then
  return {redis.call('ZREM', CATALOG, ARGV[1])}
end
return {0}
