-- The rules: when a job dies, and when its next attempt is. Nothing here touches a key.

-- A number from 0 to 1 that is the same whoever asks.
local function portion(id, number)
  return tonumber(string.sub(redis.sha1hex(id .. ':' .. number), 1, 8), 16) / 4294967295
end

-- How long after a job's nth failure its next attempt is, in milliseconds.
local function retry_delay(id, failures, options, settings)
  local rule = options.backoff and options or settings
  if rule.backoff == 'fixed' then
    return rule.backoff_delay
  end
  -- A double holds the power, and min makes it small again.
  local delay = math.min(rule.backoff_max, rule.backoff_delay * 2 ^ math.min(failures - 1, 60))
  return math.floor(delay * (1 - portion(id, failures) / 2))
end

local function dies_of_failure(failures, options, settings)
  return failures >= (options.max_attempts or settings.max_attempts)
end

local function dies_of_lost_lease(lost, settings)
  return lost >= settings.max_lost_leases
end

local function has_expired(id, options, run)
  return options.expires and not run.redriven and inserted_of(id) + options.expires <= NOW
end

local function lease_for(asked, options, settings)
  return asked or options.timeout or settings.lease
end
