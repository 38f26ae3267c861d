-- Takes the next jobs for good, as in 2010: they leave the queue. Where the queue delivers at least once a worker that
-- names itself gets them under a lease, and what it held is acknowledged.
--
-- KEYS  the queue's
-- ARGV  1 how many jobs at most
--       2 worker id, empty for none
--       3 room: no more jobs are taken when these have so many bytes
-- Reply 1 outcome: 'jobs' or 'stopped'
--       2 whether there may be more at once: 1 when only expired jobs were met
--       3… the payloads, with 'jobs'; none when nothing is there

local most, worker, room = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local meta = redis.call('HMGET', META, 'status', 'settings')
local settings = with_defaults(meta[2])
local leased = settings.legacy_lease and worker ~= ''
-- Also where the queue did so once and does no more.
if worker ~= '' then
  count_done(finish_held(worker, settings))
end
if meta[1] == '0' then
  return {'stopped', 0}
end

recover(settings)
promote(math.max(100, most))

local reply, receipts = {'jobs', 0}, {}
local taken, stopped_at_expired = take(most, room, settings, function(id, options, _, payload)
  reply[#reply + 1] = payload
  if leased then
    receipts[#receipts + 1] = lease_out(id, options, worker, lease_for(nil, options, settings), true)
  else
    release(id, key_until_end(options))
    forget(id)
  end
end)
if #receipts > 0 then
  redis.call('HSET', HELD, worker, table.concat(receipts, ' '))
end
if taken > 0 then
  count_claimed(worker, taken)
elseif stopped_at_expired then
  reply[2] = 1
end
return reply
