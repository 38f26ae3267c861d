-- Gives back what a worker of 2010 holds: it never got it, or could not say that it failed. Counted as a lost lease.
--
-- KEYS  the queue's
-- ARGV  1 worker id
-- Reply 1 how many jobs are ready again

local number = 0
for _, receipt in ipairs(held_by(ARGV[1])) do
  local run, id = holding(receipt)
  if run then
    redis.call('ZREM', ACTIVE, id)
    run.lost = run.lost + 1
    save_run(id, run)
    to_ready(id)
    number = number + 1
  end
end
redis.call('HDEL', HELD, ARGV[1])
if number > 0 then
  redis.call('HINCRBY', META, 'lost', number)
  wake(redis.call('HGET', META, 'waiting'), number)
end
return {number}
