-- How jobs are handed out.

-- How many leases that have ended are looked at in one call, and how many expired jobs are passed over.
local RECOVERED, PASSED_OVER = 100, 100

-- Takes back the first leases that have ended. Gives how many jobs are ready again.
local function recover(settings)
  local ready, lost, done = 0, 0, 0
  local ended = redis.call('ZRANGE', ACTIVE, '-inf', NOW, 'BYSCORE', 'LIMIT', 0, RECOVERED)
  for _, id in ipairs(ended) do
    local run = load_run(id)
    redis.call('ZREM', ACTIVE, id)
    let_go(id, run)
    if not run.mail then
      run.lost, lost = run.lost + 1, lost + 1
    end
    if run.mail and run.mail.sent then
      -- It reached a reader before all that it was for were gone.
      complete(id, run, settings)
      done = done + 1
    elseif not run.mail and dies_of_lost_lease(run.lost, settings) then
      bury(id, rules_of(id, run), run, settings, 'lost')
    else
      save_run(id, run)
      to_ready(id)
      ready = ready + 1
    end
  end
  count_done(done)
  if lost > 0 then
    redis.call('HINCRBY', META, 'lost', lost)
  end
  return ready
end

-- Takes the next jobs out of the ready ones, and gives each to `hand_out(id, options, packed, payload)`: at most so many,
-- and no more when they, and the expired jobs among them, have so many bytes. Gives how many, and whether expired jobs may
-- have kept it from more.
local function take(most, room, settings, hand_out)
  local taken, passed_over = 0, 0
  while taken < most and room > 0 and passed_over < PASSED_OVER do
    local id = redis.call('ZPOPMIN', READY)[1]
    if not id then
      return taken, false
    end
    local packed, payload = decode(redis.call('HGET', JOBS, id))
    local options = unpack_options(packed)
    local run = options.expires and load_run(id)
    if run and has_expired(id, options, run) then
      bury(id, options, run, settings, 'expired')
      passed_over = passed_over + 1
    else
      hand_out(id, options, packed, payload)
      taken = taken + 1
    end
    room = room - #payload
  end
  return taken, passed_over > 0
end
