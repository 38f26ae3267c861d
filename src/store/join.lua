-- A reader comes, to stay.
--
-- KEYS  the queue's, and those of its readers
-- ARGV  1 the number of the job that it got last where it was cut off, else empty
--       2 how many readers there may be
-- Reply 1 the reader, empty when there are too many
--       2 the queue's generation: the reader is to go when that ends
--       then for each job that it missed: number, '1' for a text, payload

-- What was sent after this job to those who got it. Of a job that is not known any more, what was sent to all.
local function missed(number)
  local past, from, owner = redis.call('LRANGE', PAST, 0, -1), 1, ''
  for i, record in ipairs(past) do
    past[i] = cmsgpack.unpack(record)
    if past[i][1] == number then
      from, owner = i + 1, past[i][2]
    end
  end
  local jobs = {}
  for i = from, #past do
    local job_number, to, text, payload = unpack(past[i])
    if (to == '' or to == owner) and (from > 1 or job_number > number) then
      jobs[#jobs + 1] = {string.format('%.0f', job_number), text, payload}
    end
  end
  return jobs
end

local last, most = ARGV[1], tonumber(ARGV[2])
local meta = redis.call('HMGET', META, 'settings', 'waiting', 'status', 'generation', 'policy')
local settings = with_defaults(meta[1])
count_done(forget_absent(settings))
if redis.call('ZCARD', READERS) >= most then
  return {'', 0}
end
local reader = new_reader(redis.call('HINCRBY', META, 'joined', 1))
is_there(reader)
await(meta[2], meta[3], meta[4], meta[5], PRESENCE)

local reply = {reader, tonumber(meta[4] or 0)}
if last ~= '' then
  for _, job in ipairs(missed(tonumber(last))) do
    reply[#reply + 1], reply[#reply + 2], reply[#reply + 3] = unpack(job)
  end
end
return reply
