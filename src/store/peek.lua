-- Shows the next jobs without taking them, in the order in which a fetch would give them.
--
-- KEYS  the queue's
-- ARGV  1 how many at most
--       2 how many bytes at most; the first job is shown whatever its size
-- Reply 1 size: the jobs that a fetch would give
--       2… the payloads

local most, room = tonumber(ARGV[1]), tonumber(ARGV[2])
promote(most)
local reply = {size()}
for _, id in ipairs(redis.call('ZRANGE', READY, 0, most - 1)) do
  local _, payload = decode(redis.call('HGET', JOBS, id))
  room = room - #payload
  if room < 0 and #reply > 1 then
    break
  end
  reply[#reply + 1] = payload
end
return reply
