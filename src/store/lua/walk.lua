-- Walking over the jobs of a state, some at a time.
--
-- @keys META, JOBS, READY
-- @include batch, clock, job, orphan, queue, ready

-- How many jobs of a state are in its set that do not count: scheduled ones that are due count as ready, and ended ones whose
-- retention is over as forgotten. They are the first.
local function count_hidden(state)
  if state == 'ready' or state == 'active' then
    return 0
  end
  return redis.call('ZCOUNT', STATES[state], '-inf', NOW)
end

-- Before a walk over the ready jobs: lets in what is to be handed out, as far as one call may. Returns how many jobs are still to be
-- let in. Those may come before others that were visited.
local function let_in_some()
  local to_take_in = tonumber(redis.call('HGET', META, 'to-take-in') or 0)
  if to_take_in > 0 then
    -- What frees memory begins with this, and so do looks.
    allow_when_full()
    if not has_batches() then
      drop_lost_batches(to_take_in)
    end
  end
  let_in(1000)
  return count_ready() - redis.call('ZCARD', READY)
end

-- Whether an id is before another in the order of members with one score.
local function is_id_before(id, other)
  local number, rest = struct.unpack('>I6I6', id)
  local other_number, other_rest = struct.unpack('>I6I6', other)
  return number < other_number or number == other_number and rest < other_rest
end

-- How many jobs come before a place in the set of a state, and whether its job is there. There may be very many of one position.
local function find_place(key, position, id)
  local low = redis.call('ZCOUNT', key, '-inf', '(' .. position)
  local high = redis.call('ZCOUNT', key, '-inf', position)
  while low < high do
    local middle = math.floor((low + high) / 2)
    local other = id_in(redis.call('ZRANGE', key, middle, middle)[1])
    if other == id then
      return middle, true
    elseif is_id_before(other, id) then
      low = middle + 1
    else
      high = middle
    end
  end
  return low, false
end

-- How many jobs a walk has behind it that begins behind a place.
local function count_before(key, is_newest_first, hidden, position, id)
  local before, is_there = find_place(key, position, id)
  if is_newest_first then
    return redis.call('ZCARD', key) - before
  end
  return math.max(0, before + (is_there and 1 or 0) - hidden)
end

-- The members of a state's set and their positions: so many from a rank on.
local function members_of(key, is_newest_first, first, count)
  if is_newest_first then
    return redis.call('ZRANGE', key, first, first + count - 1, 'REV', 'WITHSCORES')
  end
  return redis.call('ZRANGE', key, first, first + count - 1, 'WITHSCORES')
end

-- How many bytes of payloads this call has read.
local bytes_read = 0

-- Reads the packed options and the payload of a job that is visited.
local function load_record(job)
  if not job.packed then
    job.packed, job.payload = read_record(job.id)
    bytes_read = bytes_read + #(job.payload or '')
  end
end

-- A job as a walk visits it: its id, its position, and its member of the state's set. A compact one has its packed options and its
-- payload, and there is nothing else of it. Nil when its record is gone.
local function job_of(member, position)
  local job = {id = id_in(member), position = position, member = member, payload = payload_in(member)}
  if job.payload then
    job.packed, job.is_compact = '', true
  elseif redis.call('HEXISTS', JOBS, job.id) == 0 then
    return nil
  end
  return job
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
  if state and not job then
    drop_orphan(STATES[state], id)
  end
  return job, state
end

-- Visits jobs of a state in their order, or in the opposite one, from behind a place on: the position and the id of a job, both
-- empty for all jobs. When `visit` returns false the walk ends before that job. Orphans are dropped.
--
-- It looks at no more than `max_jobs` jobs, and ends when `max_bytes` of payloads were read. It reads so many members at once:
-- all of them where `visit` takes jobs out of the state, which lets others move up.
--
-- Returns how many jobs it looked at, how many are left behind the last of them, and the place of that.
local function walk(state, is_newest_first, position, id, max_jobs, max_bytes, members_read, visit)
  local key, hidden = STATES[state], count_hidden(state)
  local before = id ~= '' and count_before(key, is_newest_first, hidden, position, id) or 0
  local left, looked_at = math.max(0, redis.call('ZCARD', key) - hidden - before), 0
  while left > 0 and looked_at < max_jobs and bytes_read < max_bytes do
    local first = before + (is_newest_first and 0 or hidden)
    local members = members_of(key, is_newest_first, first, math.min(members_read, left, max_jobs - looked_at))
    for i = 1, #members, 2 do
      if bytes_read >= max_bytes then
        break
      end
      local job = job_of(members[i], members[i + 1])
      if job then
        if visit(job) == false then
          return looked_at, left, position, id
        end
        before, position, id = before + 1, job.position, job.id
      elseif redis.call('ZSCORE', key, members[i]) then
        drop_orphan(key, members[i])
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
