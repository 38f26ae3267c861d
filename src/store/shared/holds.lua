-- What workers of 2010 hold, where their queue delivers at least once.

-- What a worker holds: receipts.
local function held_by(worker)
  local held = worker ~= '' and redis.call('HGET', HELD, worker)
  local receipts = {}
  for receipt in string.gmatch(held or '', '%S+') do
    receipts[#receipts + 1] = receipt
  end
  return receipts
end

-- The worker that held a job (its run says so) holds it no more.
local function let_go(id, run)
  local held = run.held and redis.call('HGET', HELD, run.worker)
  if not held then
    return
  end
  local receipt, left = receipt_of(id, run.claims), {}
  for other in string.gmatch(held, '%S+') do
    if other ~= receipt then
      left[#left + 1] = other
    end
  end
  if #left == 0 then
    redis.call('HDEL', HELD, run.worker)
  else
    redis.call('HSET', HELD, run.worker, table.concat(left, ' '))
  end
end
