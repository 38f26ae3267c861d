-- Walking over the jobs of a state, some at a time.
--
-- @keys JOBS, READY
-- @include clock, job, orphan, ready

-- How many jobs one walk looks at, of those that it is not known to want.
local MAX_LOOKED_AT = 1000

-- How many jobs of a state are in its set that do not count: scheduled ones that are due count as ready, and ended ones whose
-- retention is over as forgotten. They are the first.
local function count_hidden(state)
  if state == 'ready' or state == 'active' then
    return 0
  end
  return redis.call('ZCOUNT', STATES[state], '-inf', NOW)
end

-- How many jobs come before a place, up to and with the job that is there. It may have left the state: then those that come
-- before it.
local function count_before(state, is_newest_first, hidden, position, id)
  local key = STATES[state]
  if state == 'ready' then
    expand(id)
  end
  local is_there = tonumber(redis.call('ZSCORE', key, id) or nil) == tonumber(position)
  local rank = is_there and redis.call('ZRANK', key, id)
  if is_newest_first then
    return rank and redis.call('ZCARD', key) - rank or redis.call('ZCOUNT', key, '(' .. position, '+inf')
  end
  return math.max(0, (rank and rank + 1 or redis.call('ZCOUNT', key, '-inf', '(' .. position)) - hidden)
end

-- The members of a state's set and their positions: so many from a rank on.
local function members_of(key, is_newest_first, first, count)
  if is_newest_first then
    return redis.call('ZRANGE', key, first, first + count - 1, 'REV', 'WITHSCORES')
  end
  return redis.call('ZRANGE', key, first, first + count - 1, 'WITHSCORES')
end

-- A job as a walk visits it: its id, its position, its packed options, its payload, and its member of the state's set.
local function job_of(member, position)
  local id, payload = id_in(member), payload_in(member)
  if payload then
    return {id = id, position = position, packed = '', payload = payload, member = member, is_compact = true}
  end
  local packed
  packed, payload = read_record(id)
  return {id = id, position = position, packed = packed, payload = payload, member = member}
end

-- The job with an id, as a walk visits it, and its state; nil when there is none.
local function job_by_id(id)
  expand(id)
  local state, position = state_of(id)
  if state == 'scheduled' and position <= NOW then
    promote_job(id, position)
    state, position = 'ready', redis.call('ZSCORE', READY, id)
  end
  local job = state and job_of(id, position)
  if job and not job.packed then
    drop_orphan(STATES[state], id)
    return nil
  end
  return job, state
end

-- Visits jobs of a state in their order, or in the opposite one, from behind a place on: the position and the id of a job, both
-- empty for all jobs. When `visit` returns false the walk ends before that job. Orphans are dropped.
--
-- It looks at no more than `max_jobs` jobs, and reads so many members at once: all of them where `visit` takes jobs out of the
-- state, which lets others move up.
--
-- Returns how many jobs it looked at, how many are left behind the last of them, and the place of that.
local function walk(state, is_newest_first, position, id, max_jobs, members_read, visit)
  local key, hidden = STATES[state], count_hidden(state)
  local before = id ~= '' and count_before(state, is_newest_first, hidden, position, id) or 0
  local left, looked_at = math.max(0, redis.call('ZCARD', key) - hidden - before), 0
  while left > 0 and looked_at < max_jobs do
    local first = before + (is_newest_first and 0 or hidden)
    local members = members_of(key, is_newest_first, first, math.min(members_read, left, max_jobs - looked_at))
    for i = 1, #members, 2 do
      local job = job_of(members[i], members[i + 1])
      if job.packed then
        if visit(job) == false then
          return looked_at, left, position, id
        end
        before, position, id = before + 1, job.position, job.id
      elseif redis.call('ZSCORE', key, job.id) then
        drop_orphan(key, job.id)
      end
      looked_at, left = looked_at + 1, left - 1
    end
  end
  return looked_at, left, position, id
end

-- The packed execution of a job that is visited, false where nothing has changed of it.
local function packed_execution_of(job)
  if job.packed_execution == nil then
    job.packed_execution = not job.is_compact and redis.call('HGET', JOBS, execution_field(job.id))
  end
  return job.packed_execution
end
