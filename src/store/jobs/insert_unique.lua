-- Inserts jobs of which some have unique keys, all of them or none. A job whose unique key is held is not inserted, which is
-- no error.
--
-- ARGV  1 and 2 as insert.lua
--       3 the keys that are held in other partitions, see unpack_held
--       then for each job its payload and its fields, see insertion.lua
-- Reply as insert.lua
--
-- @include insertion, orphan, unique_insertion

return tell_orphans(insert(ARGV[1], ARGV[2], 4, unique_keys_of_queue({}, ARGV[3])))
