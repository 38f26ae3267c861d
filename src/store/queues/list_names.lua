-- Names of a list, in its order: of the catalog of queues, or of the workers.
--
-- ARGV  1 how many names to pass over
--       2 how many names at most
-- Reply 1 how many names the list has
--       2… the names
--
-- @promises nothing
-- @keys NAMES

local reply = redis.call('ZRANGE', NAMES, ARGV[1], ARGV[1] + ARGV[2] - 1)
table.insert(reply, 1, redis.call('ZCARD', NAMES))
return reply
