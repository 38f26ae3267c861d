-- A queue's settings.

local DEFAULTS = {
  lease = 60000,
  max_attempts = 25,
  max_lost_leases = 10,
  backoff = 'exponential',
  backoff_delay = 1000,
  backoff_max = 3600000,
  retain = 0,
  dead_retain = 1209600000,
  max_dead = 10000,
}

-- A queue's settings, from what its meta hash has.
local function with_defaults(settings)
  return setmetatable(settings and cmsgpack.unpack(settings) or {}, {__index = DEFAULTS})
end

-- Names what the settings are, from what the meta hash has.
local function settings_tag(settings, status)
  return string.sub(redis.sha1hex((settings or '') .. (status or '')), 1, 16)
end

-- The settings as they work, packed.
local function packed_settings(settings)
  local all = settings and cmsgpack.unpack(settings) or {}
  -- A rule for retries counts as a whole.
  local own_backoff = all.backoff
  for name, default in pairs(DEFAULTS) do
    if all[name] == nil and not (own_backoff and string.sub(name, 1, 7) == 'backoff') then
      all[name] = default
    end
  end
  return cmsgpack.pack(all)
end

-- Whether the settings (from what the meta hash has) are as they must be: a tag, '*' for any of a queue that is there,
-- 'none' for a queue that is not there, empty for any.
local function settings_meet(condition, settings, status)
  if condition == '' then
    return true
  elseif condition == 'none' then
    return not status
  end
  return status and (condition == '*' or condition == settings_tag(settings, status))
end
