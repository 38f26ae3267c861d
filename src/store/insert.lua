-- Inserts one job, unless its unique key is held.
--
-- KEYS  1 meta, 2 ready, 3 scheduled, 4 unique, 5 worker failures
-- ARGV  1 payload
--       2 unique key, empty for none
--       3 due time in milliseconds, empty for at once
--       4 '1' when the job comes back because it failed, which is counted
--       5 the worker that failed, empty for none
-- Reply 1 stored: 1, or 0 when a job holds the unique key and nothing was changed
--       2 generation: to enter in the list of queues, or -1 when the queue is there

local payload, unique, due, failed, worker = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local generation = begin(KEYS[1])

if unique ~= '' and redis.call('HEXISTS', KEYS[4], unique) == 1 then
  return {0, generation}
end

if due == '' then
  redis.call('RPUSH', KEYS[2], encode(payload, unique))
else
  local number = redis.call('HINCRBY', KEYS[1], 'sequence', 1)
  redis.call('ZADD', KEYS[3], due, scheduled_member(number, encode(payload, unique)))
end
-- After the job: a key without its job would be held for ever.
if unique ~= '' then
  redis.call('HSET', KEYS[4], unique, 1)
end
if failed == '1' then
  redis.call('HINCRBY', KEYS[1], 'failed', 1)
  count_for(KEYS[5], worker, 1)
end
return {1, generation}
