-- Unique keys: each is held by one job.

-- The job that holds a key, nil when it is free.
local function holder_of(key)
  local holder = redis.call('HGET', UNIQUE, key)
  if holder then
    local until_ = redis.call('ZSCORE', UNIQUE_UNTIL, key)
    if not until_ or tonumber(until_) > NOW then
      return holder
    end
  end
end

-- Forgets the first keys whose time is over.
local function release_overdue(most)
  local over = redis.call('ZRANGE', UNIQUE_UNTIL, '-inf', NOW, 'BYSCORE', 'LIMIT', 0, most)
  if #over > 0 then
    redis.call('HDEL', UNIQUE, unpack(over))
    redis.call('ZREM', UNIQUE_UNTIL, unpack(over))
  end
end

-- Lets a job hold its key, until a time (ms) or for as long as its scope says.
local function hold(id, key, until_)
  redis.call('HSET', UNIQUE, key, id)
  if until_ then
    redis.call('ZADD', UNIQUE_UNTIL, until_, key)
  else
    redis.call('ZREM', UNIQUE_UNTIL, key)
  end
end
