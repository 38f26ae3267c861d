-- How it is noted that somebody waits for jobs: then inserts push tokens, see wake.lua.

-- Takes the fields `waiting`, `status`, `generation` and `policy` of meta, and for how long somebody may wait (ms).
local function await(waiting, status, generation, policy, time)
  redis.call('HSET', META, 'waiting', math.max(NOW + time, tonumber(waiting or 0)))
  if not (status or generation or policy) and redis.call('EXISTS', JOBS) == 0 then
    -- The queue never was, and may never be.
    redis.call('PEXPIRE', META, time + 10000)
  end
end
