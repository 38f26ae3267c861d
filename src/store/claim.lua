-- Claims the next jobs under a lease, after acknowledging others.
--
-- KEYS  the queue's
-- ARGV  1 how many jobs at most
--       2 lease in milliseconds, empty for the job's or the queue's
--       3 worker, empty for none
--       4 room: no more jobs are taken when these have so many bytes
--       5 for how many milliseconds the claim may wait when there is nothing, 0 for not at all
--       6 how many receipts follow
--       then for each a receipt and a result (JSON text, empty for none)
-- Reply 1 the server's time in milliseconds
--       2 when there may be a job without an insert: a time in milliseconds, nil for never
--       3 whether the worker is to be entered in the list of workers: 1 once a minute
--       then for each receipt 'done', 'repeated', 'cancelled' or 'stale'
--       then for each job its fields as in view.lua

-- Notes that a worker was seen, about once a minute. Gives 1 when it is time to note that in the list of workers too.
local function note_seen(worker)
  local last = worker ~= '' and redis.call('ZSCORE', SEEN, worker)
  if worker == '' or last and tonumber(last) > NOW - 60000 then
    return 0
  end
  redis.call('ZADD', SEEN, NOW, worker)
  redis.call('PEXPIRE', SEEN, 86400000)
  local old = redis.call('ZRANGE', SEEN, '-inf', NOW - 86400000, 'BYSCORE', 'LIMIT', 0, 100)
  if #old > 0 then
    redis.call('ZREM', SEEN, unpack(old))
  end
  return 1
end

local most, worker, room, wait = tonumber(ARGV[1]), ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local lease = tonumber(ARGV[2])
local meta = redis.call('HMGET', META, 'status', 'settings', 'waiting', 'generation', 'policy')
local settings = with_defaults(meta[2])
although_full()

local reply = {NOW, false, note_seen(worker)}
ack_all(7, 6 + 2 * tonumber(ARGV[6]), settings, reply)

local taken, stopped_at_expired = 0, false
if meta[1] ~= '0' and most > 0 then
  local recovered = recover(settings)
  promote(math.max(100, most))
  taken, stopped_at_expired = take(most, room, settings, function(id, options, packed, payload)
    local held_for = lease_for(lease, options, settings)
    lease_out(id, options, worker, held_for)
    add_view(reply, id, 'active', NOW + held_for, packed, payload)
  end)
  if taken > 0 then
    count_claimed(worker, taken)
    -- As many as were taken back and are left. One at least where any are left: a token may have got lost.
    if meta[3] and tonumber(meta[3]) > NOW and redis.call('ZCARD', READY) > 0 then
      wake(meta[3], math.max(1, recovered - taken))
    end
  end
end

if taken == 0 then
  forget_overdue(DONE)
  forget_overdue(DEAD)
  forget_overdue(CANCELLED)
  release_overdue(100)
  if stopped_at_expired then
    reply[2] = NOW
  elseif meta[1] ~= '0' then
    reply[2] = next_event() or false
  end
  if wait > 0 and not stopped_at_expired then
    redis.call('UNLINK', WAKE)
    await(meta[3], meta[1], meta[4], meta[5], wait)
  end
end
return reply
