-- The keys of one queue, in the order in which every script gets them. What each holds is told in docs/jobs.md.

local META, JOBS, RUNS, READY, SCHEDULED, ACTIVE = unpack(KEYS, 1, 6)
local DONE, DEAD, CANCELLED, UNIQUE, UNIQUE_UNTIL = unpack(KEYS, 7, 11)
local SETTLED, WAKE, RATES, WORKERS, FAILURES, HELD, SEEN = unpack(KEYS, 12, 18)
