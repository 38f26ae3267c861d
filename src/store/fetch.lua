-- Takes the next jobs: those that are due in the order of their dates, then the waiting ones, oldest first. Their unique
-- keys are free again.
--
-- KEYS  1 meta, 2 ready, 3 scheduled, 4 unique, 5 worker counts
-- ARGV  1 how many jobs at most
--       2 worker id, empty for none
--       3 room: no more jobs are taken when these have so many bytes
-- Reply 1 outcome: 'jobs' or 'stopped'
--       2… the payloads, with 'jobs'; none when nothing is there

local most, worker, room = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
if redis.call('HGET', KEYS[1], 'status') == '0' then
  return {'stopped'}
end

local time
local function take_due()
  local first = redis.call('ZRANGE', KEYS[3], 0, 0, 'WITHSCORES')
  if not first[1] then
    return nil
  end
  time = time or now()
  if tonumber(first[2]) > time then
    return nil
  end
  redis.call('ZREM', KEYS[3], first[1])
  return scheduled_entry(first[1])
end

local jobs, keys = {}, {}
local function take(entry)
  local payload, unique = decode(entry)
  jobs[#jobs + 1] = payload
  keys[#keys + 1] = unique
  room = room - #payload
end

local due = take_due()
while due do
  take(due)
  due = #jobs < most and room > 0 and take_due()
end
while #jobs < most and room > 0 do
  local waiting = redis.call('LPOP', KEYS[2])
  if not waiting then
    break
  end
  take(waiting)
end

if #keys > 0 then
  redis.call('HDEL', KEYS[4], unpack(keys))
end
if #jobs > 0 then
  redis.call('HINCRBY', KEYS[1], 'processed', #jobs)
  count_for(KEYS[5], worker, #jobs)
end
return {'jobs', unpack(jobs)}
