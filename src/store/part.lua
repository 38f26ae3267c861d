-- A reader goes. What it was not sent goes to the others.
--
-- KEYS  the queue's, and those of its readers
-- ARGV  1 reader
--       2… the entries of its mail that it was sent
-- Reply the readers that have mail now

local reader = ARGV[1]
local meta = redis.call('HMGET', META, 'settings', 'waiting', 'status', 'policy', 'events')
local settings = with_defaults(meta[1])
although_full()
local done = 0
for i = 2, #ARGV do
  done = done + deliver(ARGV[i], settings, meta[5])
end
count_done(done + forget_reader(reader, settings))

local have_mail = meta[3] ~= '0' and share_out(meta[4], settings) or {}
wake(meta[2], redis.call('ZCARD', READY))
local reply = {}
for other in pairs(have_mail) do
  reply[#reply + 1] = other
end
return reply
