-- Lists the jobs that match, a page at a time.
--
-- ARGV  1 how many at most
--       2 how many are looked at in this call
--       3 how many are looked at in each state in all calls together, empty for no limit: jobs behind these are passed over
--       4 max_bytes: the page ends before the payloads that were read exceed so many bytes; one job is looked at at least
--       5 '1' for the payloads too
--       6 '1' for the newest first
--       7 filter, empty for any job
--       8 position and 9 id of the last job that was looked at, empty for the first page
--       10 how many were looked at before, in the first of the states
--       11 how many states follow
--       then the states in which to look; then ids: only these jobs are looked at, none for all
-- Reply 1 how many were looked at
--       2 how many are left to be looked at
--       3 how many are passed over
--       4 state, 5 position and 6 id of the last job that was looked at, both empty for the beginning of the state
--       7 how many were looked at in this state in all calls together
--       then for each job its fields, see add_job; with an empty payload unless it is asked for
--
-- @promises nothing
-- @keys META
-- @include filter, job, orphan, partition, sweep, walk

local max_jobs, max_looked_at, max_in_state, max_bytes =
  tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]) or math.huge, tonumber(ARGV[4])
local has_payload, is_newest_first, filter = ARGV[5] == '1', ARGV[6] == '1', unpack_filter(ARGV[7])
local position, id, looked_at_here = ARGV[8], ARGV[9], tonumber(ARGV[10])
local FIRST_STATE, FIRST_ID = 12, 12 + ARGV[11]

local status, sweep_at, settings = unpack(redis.call('HMGET', META, 'status', 'sweep-at', 'settings'))
if status then
  sweep_when_due(sweep_at, settings)
end

local reply, found, visited, is_full = {}, 0, 0, false

local function add_if_it_matches(state, job)
  if matches(filter, job) then
    found = found + 1
    local payload = has_payload and job.payload or ''
    add_job(reply, job.id, state, tonumber(job.position), packed_execution_of(job), job.packed, payload)
  end
end

-- Adds a job if it matches. Returns false where the page is full without it.
local function visit(state, job)
  load_record(job)
  is_full = found == max_jobs or bytes_read > max_bytes and visited > 0
  if is_full then
    return false
  end
  visited = visited + 1
  add_if_it_matches(state, job)
end

local looked_at, left, passed_over = 0, 0, 0

-- Notes how many jobs of a state are left, and how many of these may be looked at.
local function note_left(count, max_count)
  local wanted = math.max(0, math.min(count, max_count))
  left, passed_over = left + wanted, passed_over + count - wanted
end

-- Looks at the next jobs of a state.
local function look_in(state)
  -- What is still to be let in comes behind most others, and is not among those that are the newest now.
  local outside = state == 'ready' and let_in_some() or 0
  local max_here, seen, left_here = math.min(max_looked_at - looked_at, max_in_state - looked_at_here), nil, nil
  seen, left_here, position, id = walk(state, is_newest_first, position, id, max_here, math.huge, 100, function(job)
    return visit(state, job)
  end)
  looked_at, looked_at_here = looked_at + seen, looked_at_here + seen
  if is_newest_first then
    passed_over = passed_over + outside
  else
    left_here = left_here + outside
  end
  note_left(left_here, max_in_state - looked_at_here)
end

-- The state of the last job that was looked at.
local state = ARGV[FIRST_STATE]

-- Looks at the jobs of these states.
local function look_in_states()
  for i = FIRST_STATE, FIRST_ID - 1 do
    if is_full or looked_at >= max_looked_at then
      note_left(redis.call('ZCARD', STATES[ARGV[i]]) - count_hidden(ARGV[i]), max_in_state)
    else
      if i > FIRST_STATE then
        state, position, id, looked_at_here = ARGV[i], '', '', 0
      end
      look_in(state)
    end
  end
end

-- Looks at the jobs with these ids that are in one of these states.
local function look_at_ids()
  local is_wanted = {}
  for i = FIRST_STATE, FIRST_ID - 1 do
    is_wanted[ARGV[i]] = true
  end
  left = #ARGV - FIRST_ID + 1
  while left > 0 and bytes_read < max_bytes do
    local job, state_of_job = job_by_id(ARGV[FIRST_ID + looked_at])
    looked_at, left = looked_at + 1, left - 1
    if job and is_wanted[state_of_job] then
      load_record(job)
      add_if_it_matches(state_of_job, job)
    end
  end
end

if FIRST_ID > #ARGV then
  look_in_states()
else
  look_at_ids()
end
return tell_layout(settings, tell_orphans({looked_at, left, passed_over, state, position, id, looked_at_here, unpack(reply)}))
