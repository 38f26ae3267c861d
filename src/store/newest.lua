-- Tells the numbers of the newest ready jobs.
--
-- KEYS  the queue's
-- ARGV  1 how many at most
--       2 how many jobs are looked at: the last ones, in the order in which a fetch would give them
-- Reply 1 size: the jobs that a fetch would give
--       2… the numbers, the highest first

local most, looked_at = tonumber(ARGV[1]), tonumber(ARGV[2])
promote(looked_at)
local numbers = {}
for i, id in ipairs(redis.call('ZRANGE', READY, -looked_at, -1)) do
  numbers[i] = sequence_of(id)
end
table.sort(numbers)
local reply = {size()}
for i = #numbers, math.max(1, #numbers - most + 1), -1 do
  reply[#reply + 1] = numbers[i]
end
return reply
