-- Redrives, promotes, cancels or deletes jobs that match, some at a time: the oldest first, as far as their state is in that order.
--
-- ARGV  1 action: 'redrive' (dead jobs are ready again, as if they had never failed), 'promote' (scheduled jobs are ready now),
--         'cancel', 'delete' (jobs that are not active are forgotten)
--       2 state, empty where ids are given: then any that the action takes
--       3 how many jobs are changed at most
--       4 how many are looked at at most; fewer when their payloads must be read, and reach max_bytes
--       5 max_bytes
--       6 filter, empty for any job
--       7 when the first call was (ms), empty for this one: jobs that were inserted, claimed, or ended later are passed over
--       8 position and 9 id of the last job that the call before looked at, empty for the first call
--       10 '1' for these jobs alone
--       11 the version of the layout by which nobody else holds the unique keys of these jobs in another partition; where another
--         one holds, nothing is done, and all are left
--       12… their ids
-- Reply 1 how many were changed
--       2 how many dead jobs stay dead because another job holds their unique key
--       3 how many ids are not of jobs in a state that the action takes
--       4 how many jobs were looked at
--       5 how many of the state, or of the ids, are left to be looked at. Where ready jobs are still to be let in, nothing was done but that
--       6 how many are in the state now, 0 where none is given
--       7 when the first call was (ms)
--       8 position and 9 id of the last job that was looked at
--       then for each dead job that was left alone, since its unique key may be held in another partition: its id, and the key
--
-- @keys META, DEAD, UNIQUE
-- @include clock, ending, execution, filter, holder, job, orphan, partition, queue, ready, removal, unique_key, wakeup, walk

local FIRST_ID = 12
-- Each job that is cancelled may let a hundred others be forgotten.
local MAX_CANCELLED = 100
-- Each job whose unique key is to be looked for elsewhere takes some commands.
local MAX_LEFT_ALONE = 100

local action, state, max_jobs, max_looked_at = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local max_bytes, filter, began = tonumber(ARGV[5]), unpack_filter(ARGV[6]), tonumber(ARGV[7]) or NOW
local position, id = ARGV[8], ARGV[9]
if action == 'cancel' then
  max_jobs = math.min(max_jobs, MAX_CANCELLED)
end
local packed_settings, waiting_until = unpack(redis.call('HMGET', META, 'settings', 'waiting-until'))
local changed, conflicts, left_alone = 0, 0, {}
local may_be_held_elsewhere = action == 'redrive' and ARGV[11] == '' and has_former_numbers(packed_settings)

-- Whether no more jobs are to be changed.
local function is_enough()
  return changed + #left_alone / 2 >= max_jobs or #left_alone / 2 >= MAX_LEFT_ALONE
end

-- A job whose unique key is held by now stays dead.
local function redrive(job)
  local execution = unpack_execution(packed_execution_of(job))
  local key = key_released_at_end(rules_of(job.id, execution))
  local holder, held_until, is_free = nil, nil, true
  if key then
    holder, held_until = holder_of(key)
  end
  if holder then
    -- Its holder may be buried, which may forget the oldest dead jobs. This one must not be among them.
    redis.call('ZREM', DEAD, job.id)
    is_free = free_unique_key(key, holder, held_until, packed_settings)
  end
  local is_left_alone = key and is_free and may_be_held_elsewhere
  if holder and (is_left_alone or not is_free) then
    redis.call('ZADD', DEAD, job.position, job.id)
  end
  if is_left_alone then
    left_alone[#left_alone + 1], left_alone[#left_alone + 2] = job.id, key
    return
  elseif not is_free then
    conflicts = conflicts + 1
    return
  end
  execution.failures, execution.lost_leases, execution.redriven = 0, 0, true
  execution.reason, execution.ended, execution.released = nil, nil, nil
  save_execution(job.id, execution)
  if key then
    hold_unique_key(job.id, key)
  end
  redis.call('ZREM', DEAD, job.id)
  make_ready(job.id)
  changed = changed + 1
end

local function promote_now(job)
  promote_job(job.id, NOW)
  changed = changed + 1
end

local settings = settings_of(packed_settings)

local function cancel_one(job, from)
  if job.is_compact then
    expand(job.id)
  end
  cancel_unfinished(job.id, from, tonumber(job.position), settings)
  changed = changed + 1
end

local has_unique_keys = redis.call('EXISTS', UNIQUE) == 1

local function delete_waiting(job, from)
  if has_unique_keys then
    load_record(job)
  end
  redis.call('ZREM', STATES[from], job.member)
  if not job.is_compact then
    release_unique_key(job.id, has_unique_keys and unpack_options(job.packed).unique)
    forget(job.id)
  end
  changed = changed + 1
end

local function delete_ended(job, from)
  redis.call('ZREM', STATES[from], job.id)
  forget(job.id)
  changed = changed + 1
end

-- What is done with a job, by its state.
local ACTIONS = {
  redrive = {dead = redrive},
  promote = {scheduled = promote_now},
  cancel = {ready = cancel_one, scheduled = cancel_one, active = cancel_one},
  delete = {
    ready = delete_waiting, scheduled = delete_waiting, done = delete_ended, dead = delete_ended, cancelled = delete_ended,
  },
}
local acts = ACTIONS[action]

-- Whether a job is in its state since the first call. One that comes back while calls go on is not taken again.
local function is_from_before(job)
  local execution = unpack_execution(packed_execution_of(job))
  return inserted_of(job.id) <= began and (execution.claimed or 0) <= began and (execution.ended or 0) <= began
end

local function act_on_state()
  -- What is let in later might come before the place that is reached, and be missed.
  if state == 'ready' and let_in_some() > 0 then
    return 0, 0, count_ready()
  end
  local looked_at, left
  looked_at, left, position, id = walk(state, false, position, id, max_looked_at, max_bytes, max_looked_at, function(job)
    if is_enough() then
      return false
    elseif is_from_before(job) and matches(filter, job) then
      acts[state](job, state)
    end
  end)
  return 0, looked_at, left
end

local function act_on_ids()
  local unknown, looked_at, count = 0, 0, #ARGV - FIRST_ID + 1
  if is_moved(ARGV[11], packed_settings) then
    return 0, 0, count
  end
  while looked_at < count and bytes_read < max_bytes and not is_enough() do
    local job, from = job_by_id(ARGV[FIRST_ID + looked_at])
    looked_at = looked_at + 1
    if not job or not acts[from] or state ~= '' and from ~= state then
      unknown = unknown + 1
    elseif matches(filter, job) then
      acts[from](job, from)
    end
  end
  return unknown, looked_at, count - looked_at
end

local unknown, looked_at, left = (ARGV[10] == '1' and act_on_ids or act_on_state)()
if action == 'redrive' or action == 'promote' then
  wake(waiting_until, changed)
end
local in_state = state ~= '' and redis.call('ZCARD', STATES[state]) - count_hidden(state) or 0
local reply = {changed, conflicts, unknown, looked_at, left, in_state, began, position, id, unpack(left_alone)}
return tell_layout(packed_settings, tell_orphans(reply))
