-- How many jobs a fetch would give now.
local function size()
  local waiting = redis.call('ZCARD', READY)
  if redis.call('EXISTS', SCHEDULED) == 0 then
    return waiting
  end
  return waiting + redis.call('ZCOUNT', SCHEDULED, '-inf', NOW)
end
