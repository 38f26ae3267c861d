-- The first names of a list.
--
-- KEYS  1 the list
-- ARGV  1 how many names at most
-- Reply 1 how many names the list has
--       2… the names

local reply = redis.call('ZRANGE', KEYS[1], 0, ARGV[1] - 1)
table.insert(reply, 1, redis.call('ZCARD', KEYS[1]))
return reply
