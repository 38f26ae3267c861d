-- How jobs are acknowledged.

-- Acknowledges a job. Gives 'done', which is to be counted; 'repeated', 'cancelled' or 'stale'.
local function ack(receipt, result, settings)
  local run, id = holding(receipt)
  if not run then
    return was_settled(receipt, '+') and 'repeated' or id
  end
  redis.call('ZREM', ACTIVE, id)
  if result ~= '' then
    run.result = result
  end
  complete(id, run, settings)
  remember(receipt, '+')
  return 'done'
end

-- Acknowledges the receipts and results that ARGV has from `first` to `last`, and adds what became of each to a reply.
local function ack_all(first, last, settings, reply)
  local number = 0
  for i = first, last, 2 do
    local outcome = ack(ARGV[i], ARGV[i + 1], settings)
    reply[#reply + 1] = outcome
    number = number + (outcome == 'done' and 1 or 0)
  end
  count_done(number)
end
