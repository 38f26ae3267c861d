-- Orphans: ids in a state whose record is gone. Redis evicted it, or an operator removed it. There is nothing to hand out.
--
-- @keys META, ACTIVE
-- @include execution, job, legacy_worker, unique_key

local orphans = 0

-- Drops an orphan, and counts it. Begins with a removal, which a full Redis lets pass.
local function drop_orphan(state_key, id)
  local execution = load_execution(id)
  redis.call('ZREM', state_key, id)
  if state_key == ACTIVE then
    forget_legacy_receipt(id, execution)
  end
  -- The rules of a job that was never claimed went with its record. Its key is released by the next insert that has it.
  release_unique_key(id, execution.rules and key_released_at_end(execution.rules))
  forget(id)
  redis.call('HINCRBY', META, 'orphans', 1)
  orphans = orphans + 1
end

-- Drops the jobs that waited to be taken in, when the list that had them is gone: see batch.lua.
-- @rare
local function drop_lost_batches(count)
  redis.call('HSET', META, 'to-take-in', 0)
  redis.call('HINCRBY', META, 'orphans', count)
  orphans = orphans + count
end

-- A script's reply. When the script dropped orphans, what it says of them stands in front: see `Store::run_with`.
local function tell_orphans(reply)
  if orphans > 0 then
    table.insert(reply, 1, {ok = 'orphans ' .. orphans})
  end
  return reply
end
