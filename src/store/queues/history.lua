-- Tells what was counted in each of the last minutes.
--
-- ARGV  1 how many minutes, at most 180, the running one among them
-- Reply for each queue
--       1 how many values follow, 0 when there is no such queue, which has nothing more
--       2 the server's time in milliseconds
--       3 since when the oldest ready job is ready (ms), nil when none is
--       then for each of those minutes in which something was counted, the oldest first: its number since 1970; how many jobs
--       were inserted, claimed, done, failed; how many leases were lost; how many jobs became dead; and for how long (ms) the
--       claimed job was ready that was so for longest
--
-- @for-each-queue
-- @keys META
-- @include clock, counts, ready

if redis.call('HEXISTS', META, 'status') == 0 then
  return {0}
end
local reply = {0, NOW, oldest_ready_since() or false}
for _, minute in ipairs(minutes(read_counted())) do
  if minute[1] > math.floor(NOW / MINUTE) - ARGV[1] then
    for i = 1, #COUNTED + 2 do
      reply[#reply + 1] = minute[i]
    end
  end
end
reply[1] = #reply - 1
return reply
