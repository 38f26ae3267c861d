-- A queue: how it begins, and its settings.
--
-- @keys META, ACTIVE
-- @include clock, partition

-- How long nobody need free what is over its time when nothing was left over (ms), see sweep.lua.
local SWEEP_INTERVAL = 60000

-- Makes a queue that is not in the catalog, with its first job or settings. Returns the time to enter there: later than that
-- of the last deletion.
-- @rare
local function make_queue()
  redis.call('HSETNX', META, 'status', 1)
  redis.call('HSETNX', META, 'sweep-at', NOW + SWEEP_INTERVAL)
  -- META has an expiry after a deletion, and when claims that wait for the queue have made it.
  redis.call('PERSIST', META)
  return math.max(NOW, tonumber(redis.call('HGET', META, 'generation') or 0) + 1)
end

-- For how long a queue counts as entered in the catalog (ms). That may be on another server, and a failover there may lose the entry: so an
-- insert makes it anew once an hour.
local ENTERED_FOR = 3600000

-- The time to enter in the catalog, -1 where the queue is there. Takes the field `cataloged` of META.
local function time_to_enter(cataloged)
  if cataloged and NOW < tonumber(cataloged) + ENTERED_FOR then
    return -1
  end
  return make_queue()
end

-- Lets this script go on when Redis is at its memory limit. Redis refuses a script only at its first write, and only when
-- that write may need memory; this one does not. For scripts that let jobs end, and so free memory. A script whose first
-- write is a removal needs no call of this: Redis lets it pass anyway.
local function allow_when_full()
  redis.call('ZREM', ACTIVE, '')
end

-- The lease of a queue where none is set (ms), and how long done jobs are kept there.
local DEFAULT_LEASE, DEFAULT_RETAIN = 60000, 0

local function default_settings()
  return {
    lease = DEFAULT_LEASE,
    max_attempts = 25,
    max_lost_leases = 10,
    backoff = 'exponential',
    backoff_delay = 1000,
    backoff_max = 3600000,
    retain = DEFAULT_RETAIN,
    dead_retain = 1209600000,
    max_dead = 10000,
  }
end

-- The settings as a table. `packed` is the field `settings` of META.
-- @rare
local function settings_of(packed)
  local defaults = default_settings()
  return packed and setmetatable(cmsgpack.unpack(packed), {__index = defaults}) or defaults
end

-- The tag of the settings, without their layout: 16 hexadecimal digits.
local function settings_tag(packed, status)
  if packed and version_of(packed) > 0 then
    packed = split_layout(packed)
  end
  return string.sub(redis.sha1hex((packed or '') .. (status or '')), 1, 16)
end

-- The settings with their defaults, packed.
local function pack_effective(packed)
  local settings = packed and cmsgpack.unpack(packed) or {}
  -- A backoff is set as a whole: its kind, its delay and its maximum.
  local has_backoff = settings.backoff
  for name, default in pairs(default_settings()) do
    if settings[name] == nil and not (has_backoff and string.sub(name, 1, 7) == 'backoff') then
      settings[name] = default
    end
  end
  return cmsgpack.pack(settings)
end

-- Whether the settings meet a condition: a tag; '*' for any queue that exists; 'none' for a queue that does not exist;
-- empty for any.
local function settings_meet(condition, packed, status)
  if condition == '' then
    return true
  elseif condition == 'none' then
    return not status
  end
  return status and (condition == '*' or condition == settings_tag(packed, status))
end
