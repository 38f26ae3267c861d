-- Unique keys: each is held by one job.
--
-- @keys UNIQUE, UNIQUE_UNTIL
-- @include clock

-- The job that holds a key, nil when the key is free; and until when (ms), where it holds it for a time.
local function holder_of(key)
  local holder = redis.call('HGET', UNIQUE, key)
  if holder then
    local until_ = redis.call('ZSCORE', UNIQUE_UNTIL, key)
    if not until_ or tonumber(until_) > NOW then
      return holder, until_
    end
  end
end

-- Lets a job hold its key, until a time (ms), or without one for as long as its scope says.
local function hold_unique_key(id, key, until_)
  redis.call('HSET', UNIQUE, key, id)
  if until_ then
    redis.call('ZADD', UNIQUE_UNTIL, until_, key)
  else
    redis.call('ZREM', UNIQUE_UNTIL, key)
  end
end

-- Releases a key (nil for none) if this job holds it.
-- @rare
local function release_unique_key(id, key)
  if key and redis.call('HGET', UNIQUE, key) == id then
    redis.call('HDEL', UNIQUE, key)
    redis.call('ZREM', UNIQUE_UNTIL, key)
  end
end

-- Releases the first keys whose time is over. Returns how many.
local function release_overdue_unique_keys(max_keys)
  local overdue = redis.call('ZRANGE', UNIQUE_UNTIL, '-inf', NOW, 'BYSCORE', 'LIMIT', 0, max_keys)
  if #overdue > 0 then
    redis.call('HDEL', UNIQUE, unpack(overdue))
    redis.call('ZREM', UNIQUE_UNTIL, unpack(overdue))
  end
  return #overdue
end

-- The key that a job with these rules releases when it ends, nil for none.
local function key_released_at_end(rules)
  return rules.unique_scope ~= 'time' and rules.unique or nil
end
