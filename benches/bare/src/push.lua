-- Adds one entry: three commands, as few as a queue with numbers can do with.
--
-- KEYS  1 hash with the last number, 2 hash with the payloads, 3 sorted set of the numbers
-- ARGV  1 payload
-- Reply the number

local number = redis.call('HINCRBY', KEYS[1], 'sequence', 1)
redis.call('HSET', KEYS[2], number, ARGV[1])
redis.call('ZADD', KEYS[3], number, number)
return number
