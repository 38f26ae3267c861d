-- Tells what was counted in each of the last minutes.
--
-- ARGV  1 how many minutes, at most 180, the running one among them
-- Reply nothing when there is no such queue, else
--       1 the server's time in milliseconds
--       2 since when the oldest ready job is ready (ms), nil when none is
--       then for each of those minutes in which something was counted, the oldest first: its number since 1970; how many jobs
--       were inserted, claimed, done, failed; how many leases were lost; how many jobs became dead; how many were released; and the
--       longest time (ms) that one of the claimed jobs was ready
--
-- @promises nothing
-- @keys META
-- @include clock, counts, partition, ready

local status, settings = unpack(redis.call('HMGET', META, 'status', 'settings'))
if not status then
  return {}
end
local reply = {NOW, oldest_ready_since() or false}
for _, minute in ipairs(minutes(read_counted())) do
  if minute[1] > math.floor(NOW / MINUTE) - ARGV[1] then
    for _, value in ipairs(minute) do
      -- An older version did not count all that is counted as claimed now.
      reply[#reply + 1] = math.max(0, value)
    end
  end
end
return tell_layout(settings, reply)
