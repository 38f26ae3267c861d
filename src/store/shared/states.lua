-- The states of jobs, each a sorted set of ids.

local STATES = {ready = READY, scheduled = SCHEDULED, active = ACTIVE, done = DONE, dead = DEAD, cancelled = CANCELLED}

local ENDED = {done = true, dead = true, cancelled = true}

-- The state that a job is in, with its score there; nil when there is no such job, or one that is over its time.
local function state_of(id)
  for state, key in pairs(STATES) do
    local score = redis.call('ZSCORE', key, id)
    if score and not (ENDED[state] and tonumber(score) <= NOW) then
      return state, tonumber(score)
    end
  end
end
