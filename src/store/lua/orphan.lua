-- Orphans: ids in a state whose record is gone. Redis evicted it, or an operator removed it. There is nothing to hand out.
--
-- @keys META
-- @include job

local orphans = 0

-- Drops an orphan, and counts it. Begins with a removal, which a full Redis lets pass.
local function drop_orphan(state_key, id)
  redis.call('ZREM', state_key, id)
  forget(id)
  redis.call('HINCRBY', META, 'orphans', 1)
  orphans = orphans + 1
end

-- A script's reply. When the script dropped orphans, what it says of them stands in front: see `Store::run_with`.
local function tell_orphans(reply)
  if orphans > 0 then
    table.insert(reply, 1, {ok = 'orphans ' .. orphans})
  end
  return reply
end
