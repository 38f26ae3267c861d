-- How unique keys are released, on whatever way their job leaves.

-- Releases a key (nil for none) where this job still holds it.
local function release(id, key)
  if key and redis.call('HGET', UNIQUE, key) == id then
    redis.call('HDEL', UNIQUE, key)
    redis.call('ZREM', UNIQUE_UNTIL, key)
  end
end

-- The key that a job gives back when it ends, nil for none.
local function key_until_end(options)
  return options.unique_scope ~= 'time' and options.unique or nil
end
