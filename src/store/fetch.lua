-- Takes the next job: the earliest that is due, else the oldest that waits. Its unique key is free again.
--
-- KEYS  1 meta, 2 ready, 3 scheduled, 4 unique, 5 workers
-- ARGV  1 worker id, empty for none
-- Reply 1 outcome: 'job', 'empty' or 'stopped'
--       2 the payload, with 'job'

local worker = ARGV[1]
if redis.call('HEXISTS', KEYS[1], 'stopped') == 1 then
  return {'stopped'}
end

local entry
local next_due = redis.call('ZRANGE', KEYS[3], 0, 0, 'WITHSCORES')
if next_due[1] then
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  if tonumber(next_due[2]) <= now then
    redis.call('ZREM', KEYS[3], next_due[1])
    entry = string.sub(next_due[1], 15)
  end
end
entry = entry or redis.call('LPOP', KEYS[2])
if not entry then
  return {'empty'}
end

local payload, unique = decode(entry)
if unique then
  redis.call('HDEL', KEYS[4], unique)
end
redis.call('HINCRBY', KEYS[1], 'processed', 1)
if worker ~= '' and redis.call('HEXISTS', KEYS[5], worker) == 1 then
  redis.call('HINCRBY', KEYS[5], worker, 1)
end
return {'job', payload}
