-- How jobs enter their queue.
--
-- @keys META, JOBS, READY, SCHEDULED, IDEMPOTENCY?
-- @include clock, counts, event, job, partition, queue, ready, sweep, wakeup

-- A job has two arguments, its payload and its fields. The fields of a job that has only a priority are that digit. Others are
-- the priority in a byte; three texts, each after its length in four bytes; and the packed options, see job.lua. The texts:
--   when it is due: milliseconds since 1970, '+' and milliseconds from now, empty for at once
--   unique key, empty for none
--   how long that is held: milliseconds, empty for as the options say
local JOB_ARGS = 2

-- Returns the priority, when the job is due, the unique key, how long that is held, and the packed options.
local function fields_of(packed)
  if #packed == 1 then
    return packed, '', '', '', ''
  end
  local priority, due, unique, held_for, at = struct.unpack('>BI4c0I4c0I4c0', packed)
  return priority, due, unique, held_for, string.sub(packed, at)
end

-- How long the reply to an insert with an idempotency key is remembered (ms).
local REMEMBERED_FOR = 86400000

-- Wakes those that wait for what was inserted. `is_scheduled`: whether one of the jobs is; the last of them has `number`.
-- @rare
local function wake_for_inserted(waiting_until, inserted, is_scheduled, number)
  wake(waiting_until, inserted)
  local next_due = is_scheduled and redis.call('ZRANGE', SCHEDULED, 0, 0)[1]
  if next_due and number_of(next_due) > number - inserted then
    -- Claims that wait block until the next event that they know of. This job is due earlier: wake all.
    wake(waiting_until, MAX_TOKENS)
  end
end

-- Makes a job scheduled. `due` as it stands in the arguments.
-- @rare
local function schedule(id, due)
  if string.sub(due, 1, 1) == '+' then
    due = NOW + tonumber(string.sub(due, 2))
  end
  redis.call('ZADD', SCHEDULED, due, id)
  note_event(redis.call('HGET', META, 'next-event'), tonumber(due))
end

-- Inserts the jobs that ARGV has from `first` on. Appends to the reply for each its id, and 1 when that is another job,
-- which holds the unique key; then it is not inserted. `unique_keys`: what to do with unique keys, see unique_insertion.lua;
-- nil where no job has one. Takes the fields `waiting-until`, `settings` and `period` of META. Returns how many were inserted.
local function insert_jobs(first, waiting_until, packed_settings, period, unique_keys, reply)
  local count = (#ARGV - first + 1) / JOB_ARGS
  -- The first write is one that a full Redis refuses: then nothing was changed.
  note_period(period)
  local number = redis.call('HINCRBY', META, 'sequence', count) - count
  local holders = unique_keys and unique_keys.find_holders(first, packed_settings)
  local inserted, is_scheduled = 0, false
  for i = first, #ARGV, JOB_ARGS do
    local priority, due, unique, held_for, options = fields_of(ARGV[i + 1])
    local holder = unique ~= '' and holders[unique]
    if holder then
      reply[#reply + 1], reply[#reply + 2] = holder, 1
    else
      number, inserted = number + 1, inserted + 1
      local id = new_id(number, priority, NOW)
      if due == '' and is_compact(options, ARGV[i]) then
        redis.call('ZADD', READY, position_of(number, priority), id .. ARGV[i])
      else
        redis.call('HSET', JOBS, id, encode(options, ARGV[i]))
        if due == '' then
          redis.call('ZADD', READY, position_of(number, priority), id)
        else
          schedule(id, due)
          is_scheduled = true
        end
      end
      if unique ~= '' then
        unique_keys.hold(id, unique, held_for ~= '' and NOW + held_for)
        holders[unique] = id
      end
      reply[#reply + 1], reply[#reply + 2] = id, 0
    end
  end
  if inserted < count then
    -- `sequence` counts what was inserted.
    redis.call('HINCRBY', META, 'sequence', inserted - count)
  end
  if inserted > 0 and waiting_until then
    wake_for_inserted(waiting_until, inserted, is_scheduled, number)
  end
  return inserted
end

-- The version of an insert, and its part: what tells which jobs of the request these are, empty where they are all of them.
-- @rare
local function split_version(version)
  return string.match(version, '^(%d*) ?(.*)$')
end

-- What is remembered of an idempotency key: the fingerprint, and the answers to all jobs of the request or to parts of it. nil
-- where there is nothing. An answer from before the queue was deleted does not count: its jobs are gone.
-- @rare
local function remembered()
  local packed = redis.call('GET', IDEMPOTENCY)
  local answer = packed and cmsgpack.unpack(packed)
  if answer and answer.generation == (redis.call('HGET', META, 'generation') or '0') then
    return answer
  end
end

-- The reply to an insert whose idempotency key was used before, nil when it was not for this part.
-- @rare
local function replay(fingerprint, part, cataloged)
  local answer = remembered()
  if not answer then
    return nil
  elseif answer.fingerprint ~= fingerprint then
    return {'mismatch', -1}
  end
  local jobs = answer.jobs
  if part ~= '' then
    jobs = answer.parts and answer.parts[part]
  end
  return jobs and {'replayed', time_to_enter(cataloged), unpack(jobs)}
end

-- Remembers the reply to an insert that has an idempotency key, beside those to other parts.
-- @rare
local function remember(fingerprint, part, reply)
  local answer = remembered() or {generation = redis.call('HGET', META, 'generation') or '0', fingerprint = fingerprint}
  local jobs = {unpack(reply, 3)}
  if part == '' then
    answer.jobs = jobs
  else
    answer.parts = answer.parts or {}
    answer.parts[part] = jobs
  end
  redis.call('SET', IDEMPOTENCY, cmsgpack.pack(answer), 'PX', REMEMBERED_FOR)
end

-- Whether a payload is over the queue's limit.
-- @rare
local function is_too_large(first, packed_settings)
  local max_bytes = cmsgpack.unpack(packed_settings).max_bytes or math.huge
  for i = first, #ARGV, JOB_ARGS do
    if #ARGV[i] > max_bytes then
      return true
    end
  end
end

-- Inserts the jobs that ARGV has from `first` on, all of them or none; once only for each idempotency key, where the request
-- has a fingerprint. `version` is that of the layout by which they were sent here, see is_moved, and behind it the part, see
-- split_version. Calls `on_inserted`, if any, with the fields `settings` and `period` of META when jobs were inserted. Returns the reply of insert.lua.
local function insert(fingerprint, version, first, unique_keys, on_inserted)
  local cataloged, waiting_until, packed_settings, sweep_at, period =
    unpack(redis.call('HMGET', META, 'cataloged', 'waiting-until', 'settings', 'sweep-at', 'period'))
  local part = ''
  if fingerprint ~= '' then
    version, part = split_version(version)
  end
  if version ~= '' and is_moved(version, packed_settings) then
    return tell_layout(packed_settings, {'moved', -1})
  end
  local replayed = fingerprint ~= '' and replay(fingerprint, part, cataloged)
  if replayed then
    return tell_layout(packed_settings, replayed)
  elseif packed_settings and is_too_large(first, packed_settings) then
    return tell_layout(packed_settings, {'too-large', -1})
  end
  local reply = {'inserted', time_to_enter(cataloged)}
  local inserted = insert_jobs(first, waiting_until, packed_settings, period, unique_keys, reply)
  if inserted > 0 and on_inserted then
    on_inserted(packed_settings, period)
  end
  if fingerprint ~= '' then
    remember(fingerprint, part, reply)
  end
  return tell_layout(packed_settings, tell_sweep(sweep_at, reply))
end
