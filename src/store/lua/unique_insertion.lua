-- What an insert does with unique keys.
--
-- @include holder, unique_key

-- Finds who holds a key, and lets a new job hold it. Keys that the jobs in `replaced_ids` hold count as free.
local function unique_keys_of_queue(replaced_ids)
  local function find_holder(key, packed_settings)
    release_overdue_unique_keys(10)
    local holder, until_ = holder_of(key)
    if holder and not replaced_ids[holder] and not free_unique_key(key, holder, until_, packed_settings) then
      return holder
    end
  end
  return {find_holder = find_holder, hold = hold_unique_key}
end
