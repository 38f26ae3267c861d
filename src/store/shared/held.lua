-- Jobs that workers of 2010 hold, where their queue delivers at least once.

-- Ends what a worker held: it has come back. Gives how many jobs these were.
local function finish_held(worker, settings)
  local number = 0
  local held = worker ~= '' and redis.call('HGET', HELD, worker)
  if held then
    redis.call('HDEL', HELD, worker)
    for receipt in string.gmatch(held, '%S+') do
      number = number + (ack(receipt, '', settings) == 'done' and 1 or 0)
    end
  end
  return number
end
