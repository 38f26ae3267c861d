-- Tells which legacy workers are registered on a queue, and the queue's counts.
--
-- ARGV  1 how many workers at most
-- Reply 1 processed, 2 failed: nil before the first
--       3… the workers
--
-- @promises nothing
-- @keys META, WORKER_COUNTS
-- @include partition, waits

local max_workers = tonumber(ARGV[1])
local values = redis.call('HMGET', META, 'failed', 'settings', unpack(CLAIMED))
local reply = {sum_of_claimed(values, 3) or false, values[1]}
local cursor = '0'
repeat
  local page = redis.call('HSCAN', WORKER_COUNTS, cursor, 'COUNT', 1000)
  cursor = page[1]
  -- Names and values take turns.
  for i = 1, #page[2], 2 do
    if #reply < max_workers + 2 then
      reply[#reply + 1] = page[2][i]
    end
  end
until cursor == '0' or #reply >= max_workers + 2
return tell_layout(values[2], reply)
