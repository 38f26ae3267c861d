-- A reader says that it is there and what it was sent, and gets what is in its mail. Whoever comes first puts ready jobs
-- into the mail of all.
--
-- KEYS  the queue's, and those of its readers
-- ARGV  1 reader
--       2 the queue's generation when it came
--       3 how long it may wait when there is nothing, in milliseconds
--       4 how many jobs at most
--       5 room: no more jobs are given when these have so many bytes
--       6… the entries of its mail that it was sent
-- Reply 1 outcome: 'mail', or 'ended' (the queue was deleted), which has nothing after it
--       2 when there may be a job without an insert: in how many milliseconds, nil for never
--       3 whether jobs wait for another reader's mail to be sent: 1 or 0
--       4 how many other readers have mail now, then each of them
--       then for each job in its mail: entry, number, '1' for a text, payload

local reader, generation, wait, most, room = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local meta = redis.call('HMGET', META, 'settings', 'waiting', 'status', 'generation', 'policy', 'looked', 'events')
if (meta[4] or '0') ~= generation then
  return {'ended'}
end
local settings = with_defaults(meta[1])
although_full()

local done = 0
for i = 6, #ARGV do
  done = done + deliver(ARGV[i], settings, meta[7])
end
is_there(reader)
local forgotten, were_cut_off = forget_absent(meta[6], settings)
count_done(done + forgotten)

-- What is in the mail of this reader stays its own.
for _, entry in ipairs(mail_of(reader)) do
  local run, id = mailed(entry)
  if run then
    redis.call('ZADD', ACTIVE, 'GT', NOW + MAIL_LEASE, id)
  else
    redis.call('ZREM', MAIL, entry)
  end
end

local have_mail, state = {}, nil
if meta[3] ~= '0' then
  if not were_cut_off then
    recover(settings)
  end
  promote(100)
  have_mail, state = share_out(meta[5], settings)
end

local reply = {'mail', false, state == 'blocked' and 1 or 0, 0}
for other in pairs(have_mail) do
  if other ~= reader then
    reply[4] = reply[4] + 1
    reply[#reply + 1] = other
  end
end
local given = 0
for _, entry in ipairs(mail_of(reader)) do
  if given == most or room <= 0 then
    break
  end
  local _, id = mailed(entry)
  local packed, payload = decode(redis.call('HGET', JOBS, id))
  local at = #reply
  reply[at + 1], reply[at + 2] = entry, string.format('%.0f', sequence_of(id))
  reply[at + 3], reply[at + 4] = unpack_options(packed).text and 1 or 0, payload
  given, room = given + 1, room - #payload
end

if state == 'more' then
  reply[2] = 0
elseif meta[3] ~= '0' then
  local event = next_event()
  reply[2] = event and math.max(0, event - NOW) or false
end
if given == 0 and state ~= 'more' then
  if meta[3] == '0' or redis.call('EXISTS', READY) == 0 then
    redis.call('UNLINK', WAKE)
  end
  await(meta[2], meta[3], meta[4], meta[5], wait)
end
return reply
