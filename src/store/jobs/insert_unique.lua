-- Inserts jobs of which some have unique keys, all of them or none. A job whose unique key is held is not inserted, which is
-- no error.
--
-- ARGV  as insert.lua
-- Reply as insert.lua
--
-- @include insertion, orphan, unique_insertion

return tell_orphans(insert(ARGV[1], 2, unique_keys_of_queue({})))
