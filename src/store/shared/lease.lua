-- How a worker gets hold of a job.

-- Lets a worker hold a job under a lease (ms); `held` where that is noted among what workers of 2010 hold, `mail` where it
-- goes into the mail of readers. Gives the receipt.
local function lease_out(id, options, worker, lease, held, mail)
  local run = load_run(id)
  run.held, run.mail = held, mail
  run.claims, run.worker, run.claimed, run.lease = run.claims + 1, worker, NOW, lease
  run.rules = run.rules or rules_in(options)
  if not options.unique_scope then
    release(id, options.unique)
  end
  save_run(id, run)
  redis.call('ZADD', ACTIVE, NOW + lease, id)
  return receipt_of(id, run.claims)
end
