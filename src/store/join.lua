-- A reader comes, to stay.
--
-- KEYS  the queue's, and those of its readers
-- ARGV  1 how many readers there may be
--       2 '1' for an event stream: what is sent is kept for a while from then on
--       3 the number of the job that it got last where it was cut off, else empty
-- Reply 1 the reader, empty when there are too many
--       2 the queue's generation: the reader is to go when that ends
--       then for each job that it missed: number, '1' for a text, payload

-- What was sent after this job to those who got it. Of a job that is not known any more, what was sent to all. What one
-- reader alone got is noted as this one's.
local function missed(number, reader)
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
      if to ~= '' then
        redis.call('LSET', PAST, i - 1, cmsgpack.pack({job_number, reader, text, payload}))
      end
    end
  end
  return jobs
end

-- What is in the mail of all and was sent to none of them is in this reader's too. Of those who were there when it was
-- shared out, the first has all of that.
local function share_mail(reader)
  local first = redis.call('ZRANGE', MAIL, 0, 0)[1]
  for _, entry in ipairs(first and mail_of(reader_in(first)) or {}) do
    local run, id = mailed(entry)
    if run and run.mail.to == '' and not run.mail.sent then
      run.mail.copies = run.mail.copies + 1
      save_run(id, run)
      redis.call('ZADD', MAIL, 0, reader .. string.sub(entry, READER_LENGTH + 1))
    end
  end
end

local most, events, last = tonumber(ARGV[1]), ARGV[2], ARGV[3]
local meta = redis.call('HMGET', META, 'settings', 'waiting', 'status', 'generation', 'policy', 'looked')
local settings = with_defaults(meta[1])
if redis.call('EXISTS', READERS) == 0 then
  -- What the last readers left: its jobs come back when their leases end.
  redis.call('UNLINK', MAIL)
end
count_done((forget_absent(meta[6], settings)))
if redis.call('ZCARD', READERS) >= most then
  return {'', 0}
end
local reader = new_reader(redis.call('HINCRBY', META, 'joined', 1))
is_there(reader)
await(meta[2], meta[3], meta[4], meta[5], PRESENCE)

local reply = {reader, tonumber(meta[4] or 0)}
if events == '1' then
  redis.call('HSET', META, 'events', 1)
end
if last ~= '' then
  for _, job in ipairs(missed(tonumber(last), reader)) do
    reply[#reply + 1], reply[#reply + 2], reply[#reply + 3] = unpack(job)
  end
  share_mail(reader)
end
return reply
