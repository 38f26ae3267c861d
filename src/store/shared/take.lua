-- How jobs are handed out.

-- How many leases that have ended are looked at in one call, and how many expired jobs are passed over.
local RECOVERED, PASSED_OVER = 100, 100

-- Takes back the first leases that have ended. Gives how many jobs are ready again.
local function recover(settings)
  local ready = 0
  local ended = redis.call('ZRANGE', ACTIVE, '-inf', NOW, 'BYSCORE', 'LIMIT', 0, RECOVERED)
  for _, id in ipairs(ended) do
    local run = load_run(id)
    run.lost = run.lost + 1
    redis.call('ZREM', ACTIVE, id)
    if run.held then
      redis.call('HDEL', HELD, run.worker)
    end
    if dies_of_lost_lease(run.lost, settings) then
      bury(id, load_options(id), run, settings, 'lost')
    else
      save_run(id, run)
      to_ready(id)
      ready = ready + 1
    end
  end
  if #ended > 0 then
    redis.call('HINCRBY', META, 'lost', #ended)
  end
  return ready
end

-- Takes the next jobs out of the ready ones, and gives each to `hand_out(id, options, packed, payload)`: at most so
-- many, and no more when they have so many bytes. Gives how many, and whether it stopped at expired jobs.
local function take(most, room, settings, hand_out)
  local taken, passed_over = 0, 0
  while taken < most and room > 0 do
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
      if passed_over == PASSED_OVER then
        return taken, true
      end
    else
      hand_out(id, options, packed, payload)
      taken, room = taken + 1, room - #payload
    end
  end
  return taken, false
end
