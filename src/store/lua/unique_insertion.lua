-- What an insert does with unique keys.
--
-- @include holder, insertion, unique_key

-- Finds who holds the keys of the jobs that ARGV has from `first` on, before any of these is stored; and lets a new job hold
-- its key. Keys that the jobs in `replaced_ids` hold count as free.
local function unique_keys_of_queue(replaced_ids)
  local function find_holders(first, packed_settings)
    local holders = {}
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
