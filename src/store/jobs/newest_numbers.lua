-- Lists the numbers of the newest ready jobs.
--
-- ARGV  1 how many at most
--       2 how many jobs are read: the last ones, in the order in which a fetch would give them
-- Reply 1 how many jobs are ready
--       2… the numbers, the highest first
--
-- @promises nothing
-- @keys META, READY
-- @include batch, job, partition, ready

local max_numbers, max_jobs = tonumber(ARGV[1]), tonumber(ARGV[2])
let_in(max_jobs)
local numbers = {}
for i, member in ipairs(redis.call('ZRANGE', READY, -max_jobs, -1)) do
  numbers[i] = number_of(member)
end
table.sort(numbers)
local reply = {count_ready()}
for i = #numbers, math.max(1, #numbers - max_numbers + 1), -1 do
  reply[#reply + 1] = numbers[i]
end
return tell_layout(redis.call('HGET', META, 'settings'), reply)
