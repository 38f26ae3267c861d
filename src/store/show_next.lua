-- Shows the next job without taking it, whether or not the queue is stopped, and counts how often it was shown.
--
-- KEYS  the queue's
-- ARGV  1 room: no more expired jobs are passed over when these have so many bytes
-- Reply 1 whether there may be one at once: 1 when only expired jobs were met
--       then, where there is one
--       2 id
--       3 payload
--       4 whether that stands for a text: 1 or 0
--       5 how often it was shown, this time included

local room = tonumber(ARGV[1])
local settings = with_defaults(redis.call('HGET', META, 'settings'))
-- Who shows a job may be about to remove it.
although_full()
recover(settings)
promote(100)

local passed_over = 0
while room > 0 and passed_over < PASSED_OVER do
  local id = redis.call('ZRANGE', READY, 0, 0)[1]
  if not id then
    return {0}
  end
  local packed, payload = decode(redis.call('HGET', JOBS, id))
  local options, run = unpack_options(packed), load_run(id)
  if not has_expired(id, options, run) then
    run.shown = (run.shown or 0) + 1
    save_run(id, run)
    return {0, id, payload, options.text and 1 or 0, run.shown}
  end
  redis.call('ZREM', READY, id)
  bury(id, options, run, settings, 'expired')
  passed_over = passed_over + 1
  room = room - #payload
end
return {1}
