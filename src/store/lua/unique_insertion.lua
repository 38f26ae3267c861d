-- What an insert does with unique keys.
--
-- @include holder, insertion, unique_key

-- The keys that are held in other partitions, where the number of these was changed: a table of their holders. `packed` has
-- for each key its length in four bytes, the key, and the id of its holder.
-- @rare
local function unpack_held(packed)
  local holders, at = {}, 1
  while at <= #packed do
    local key, holder
    key, holder, at = struct.unpack('>I4c0c12', packed, at)
    holders[key] = holder
  end
  return holders
end

-- Finds who holds the keys of the jobs that ARGV has from `first` on, before any of these is stored; and lets a new job hold
-- its key. Keys that the jobs in `replaced_ids` hold count as free; `held_elsewhere` is as unpack_held takes it.
local function unique_keys_of_queue(replaced_ids, held_elsewhere)
  local function find_holders(first, packed_settings)
    local holders = {}
    if held_elsewhere ~= '' then
      holders = unpack_held(held_elsewhere)
    end
    release_overdue_unique_keys(10)
    for i = first, #ARGV, JOB_ARGS do
      local _, _, key = fields_of(ARGV[i + 1])
      local holder, until_ = nil, nil
      if key ~= '' then
        holder, until_ = holder_of(key)
      end
      if holder and not replaced_ids[holder] and not free_unique_key(key, holder, until_, packed_settings) then
        holders[key] = holder
      end
    end
    return holders
  end
  return {find_holders = find_holders, hold = hold_unique_key}
end
