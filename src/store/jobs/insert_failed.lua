-- Inserts jobs that come back because a legacy worker failed at them, which is counted once. What the worker has under a
-- lease is acknowledged: these jobs stand for it. When none of them is inserted, nothing is counted or acknowledged.
--
-- ARGV  1 to 3 as insert_unique.lua
--       4 worker, empty for none
--       then for each job its payload and its fields, see insertion.lua
-- Reply as insert.lua
--
-- @include counts, insertion, legacy_worker, orphan, receipt, unique_insertion

local worker = ARGV[4]
-- The jobs that come back replace these, and may have the unique keys that these hold.
local replaced_ids = {}
for _, receipt in ipairs(legacy_receipts_of(worker)) do
  local id = find_active(receipt)
  if id then
    replaced_ids[id] = true
  end
end
return tell_orphans(insert(ARGV[1], ARGV[2], 5, unique_keys_of_queue(replaced_ids, ARGV[3]), function(packed_settings, period)
  count_failed(period, worker)
  ack_legacy_receipts(worker, packed_settings)
end))
