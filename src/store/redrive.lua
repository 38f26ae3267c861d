-- Makes dead jobs ready again, as if they had never failed. One whose unique key is held by now stays dead.
--
-- KEYS  the queue's
-- ARGV  1 how many at most, the oldest first; 0 where ids are given
--       2… ids
-- Reply 1 how many are ready again
--       2 how many stay because their unique key is held
--       3 how many of the ids are not of dead jobs
--       4 how many are dead now

local most, ids, unknown = tonumber(ARGV[1]), {unpack(ARGV, 2)}, 0
if most > 0 then
  ids = redis.call('ZRANGE', DEAD, LATER, '+inf', 'BYSCORE', 'LIMIT', 0, most)
end
local redriven, conflicts = 0, 0
for _, id in ipairs(ids) do
  local until_ = redis.call('ZSCORE', DEAD, id)
  if not until_ or tonumber(until_) <= NOW then
    unknown = unknown + 1
  else
    local run = load_run(id)
    local key = key_until_end(rules_of(id, run))
    if key and holder_of(key) then
      conflicts = conflicts + 1
    else
      run.failures, run.lost, run.redriven, run.reason, run.ended = 0, 0, true, nil, nil
      save_run(id, run)
      if key then
        hold(id, key)
      end
      redis.call('ZREM', DEAD, id)
      to_ready(id)
      redriven = redriven + 1
    end
  end
end
wake(redis.call('HGET', META, 'waiting'), redriven)
return {redriven, conflicts, unknown, redis.call('ZCOUNT', DEAD, LATER, '+inf')}
