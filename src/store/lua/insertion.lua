-- How jobs enter their queue.
--
-- @keys META, JOBS, SCHEDULED, IDEMPOTENCY?
-- @include clock, counts, job, queue, ready, sweep, wakeup

-- The arguments of a job:
--   1 payload
--   2 priority
--   3 when it is due: milliseconds since 1970, '+' and milliseconds from now, empty for at once
--   4 unique key, empty for none
--   5 how long it is held: milliseconds, empty for as the options say
--   6 packed options, see job.lua
local FIELD_COUNT = 6

-- Inserts the jobs that ARGV has from `first` on. Appends to the reply for each its id, and 1 when that is another job,
-- which holds the unique key; then it is not inserted. `unique_keys`: what to do with unique keys, see unique_insertion.lua;
-- nil where no job has one. Takes the fields `waiting-until` and `settings` of META. Returns how many were inserted.
local function insert_jobs(first, waiting_until, packed_settings, unique_keys, reply)
  local count = (#ARGV - first + 1) / FIELD_COUNT
  -- The first write is one that a full Redis refuses: then nothing was changed.
  local number = redis.call('HINCRBY', META, 'sequence', count) - count
  local inserted, last_due = 0, ''
  for i = first, #ARGV, FIELD_COUNT do
    local priority, due, unique = ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
    local holder = unique ~= '' and unique_keys.find_holder(unique, packed_settings)
    if holder then
      reply[#reply + 1], reply[#reply + 2] = holder, 1
    else
      number, inserted = number + 1, inserted + 1
      local id = new_id(number, priority)
      redis.call('HSET', JOBS, id, encode(ARGV[i + 5], ARGV[i]))
      if due == '' then
        make_ready(id)
      else
        if string.sub(due, 1, 1) == '+' then
          due = NOW + tonumber(string.sub(due, 2))
        end
        redis.call('ZADD', SCHEDULED, due, id)
        last_due = due
      end
      if unique ~= '' then
        local held_for = tonumber(ARGV[i + 4])
        unique_keys.hold(id, unique, held_for and NOW + held_for)
      end
      reply[#reply + 1], reply[#reply + 2] = id, 0
    end
  end
  if inserted > 0 then
    count_rate('inserted', inserted)
    wake(waiting_until, inserted)
    -- Claims that wait block until the next event that they know of. This job is due earlier: wake all.
    local next_due = last_due ~= '' and redis.call('ZRANGE', SCHEDULED, 0, 0)[1]
    if next_due and number_of(next_due) > number - inserted then
      wake(waiting_until, MAX_TOKENS)
    end
  end
  return inserted
end

-- Inserts the jobs that ARGV has from `first` on, all of them or none; once only for each idempotency key, where the request
-- has a fingerprint. Calls `on_inserted`, if any, with the packed settings when jobs were inserted. Returns the reply of
-- insert.lua.
local function insert(fingerprint, remembered_for, first, unique_keys, on_inserted)
  local cataloged, generation, waiting_until, packed, sweep_at =
    unpack(redis.call('HMGET', META, 'cataloged', 'generation', 'waiting-until', 'settings', 'sweep-at'))
  if fingerprint ~= '' then
    local answer = redis.call('GET', IDEMPOTENCY)
    answer = answer and cmsgpack.unpack(answer)
    -- An answer from before the queue was deleted does not count: its jobs are gone.
    if answer and answer.generation == (generation or '0') then
      if answer.fingerprint ~= fingerprint then
        return {'mismatch', -1}
      end
      return {'replayed', ensure_queue(cataloged, generation), unpack(answer.jobs)}
    end
  end
  local max_bytes = packed and cmsgpack.unpack(packed).max_bytes
  for i = first, max_bytes and #ARGV or 0, FIELD_COUNT do
    if #ARGV[i] > max_bytes then
      return {'too-large', -1}
    end
  end

  local reply = {'inserted', ensure_queue(cataloged, generation)}
  if insert_jobs(first, waiting_until, packed, unique_keys, reply) > 0 and on_inserted then
    on_inserted(packed)
  end
  if fingerprint ~= '' then
    local answer = {generation = generation or '0', fingerprint = fingerprint, jobs = {unpack(reply, 3)}}
    redis.call('SET', IDEMPOTENCY, cmsgpack.pack(answer), 'PX', remembered_for)
  end
  return tell_sweep(sweep_at, reply)
end
