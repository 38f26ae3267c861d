-- How what a worker of 2010 holds is finished.

-- Ends what a worker held: it has come back. Gives how many jobs these were.
local function finish_held(worker, settings)
  local number = 0
  for _, receipt in ipairs(held_by(worker)) do
    number = number + (ack(receipt, '', settings) == 'done' and 1 or 0)
  end
  if worker ~= '' then
    redis.call('HDEL', HELD, worker)
  end
  return number
end
