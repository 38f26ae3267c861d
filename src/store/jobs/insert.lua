-- Inserts jobs without unique keys, all of them or none.
--
-- ARGV  1 fingerprint of the request, empty for one that is not remembered
--       2 the version of the layout by which the jobs belong here, empty where they belong anywhere; and where they are a part of
--         a request that is remembered, a space and what tells which
--       then for each job its payload and its fields, see insertion.lua
-- Reply 1 outcome: 'inserted', 'replayed' (the answer to the same request before), 'mismatch' (another fingerprint),
--         'too-large' (more than the queue's setting max_bytes), 'moved' (another layout holds); with the last three nothing
--         was changed
--       2 the time to enter in the catalog, or -1 when the queue is there
--       3… for each job its id, and 1 when that is another job, which holds the unique key: see insert_unique.lua
--
-- @include insertion

return insert(ARGV[1], ARGV[2], 3)
