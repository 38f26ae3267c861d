-- Inserts one job, unless its unique key is held.
--
-- KEYS  1 meta, 2 ready, 3 scheduled, 4 unique
-- ARGV  1 payload
--       2 unique key, empty for none
--       3 due time in milliseconds, empty for at once
-- Reply 1 stored: 1, or 0 when a job holds the unique key and nothing was changed
--       2 listed: 1 when the queue is known to be in the list of queues

local payload, unique, due = ARGV[1], ARGV[2], ARGV[3]
local listed = redis.call('HEXISTS', KEYS[1], 'listed')

if unique ~= '' and redis.call('HSETNX', KEYS[4], unique, 1) == 0 then
  return {0, listed}
end

local entry = encode(payload, unique)
if due == '' then
  redis.call('RPUSH', KEYS[2], entry)
else
  -- The number makes each member its own, and keeps jobs of one date in the order they came.
  local number = redis.call('HINCRBY', KEYS[1], 'sequence', 1)
  redis.call('ZADD', KEYS[3], due, string.format('%014x', number) .. entry)
end
return {1, listed}
