-- When there may be a job without an insert.

-- When a lease ends next or a job becomes due, nil for never.
local function next_event()
  local lease = redis.call('ZRANGE', ACTIVE, 0, 0, 'WITHSCORES')[2]
  local due = redis.call('ZRANGE', SCHEDULED, 0, 0, 'WITHSCORES')[2]
  if lease and due then
    return math.min(tonumber(lease), tonumber(due))
  end
  return tonumber(lease or due)
end
