-- Inserts jobs, all of them or none. A job whose unique key is held is not inserted, which is no error.
--
-- ARGV  1 fingerprint of the request, empty for one that is not remembered
--       2 how long it is remembered, in milliseconds
--       3 '1' when the jobs come back because they failed, which is counted
--       4 the worker that failed, empty for none
--       then for each job
--       1 payload
--       2 priority
--       3 when it is due: milliseconds since 1970, '+' and milliseconds from now, empty for at once
--       4 unique key, empty for none
--       5 how long it is held: milliseconds, empty for as the options say
--       6 packed options, see job.lua
-- Reply 1 outcome: 'inserted', 'replayed' (the answer to the same request before), 'mismatch' (another fingerprint),
--         'too-large' (more than the queue's setting max_bytes); with the last two nothing was changed
--       2 generation: to enter in the catalog, or -1 when the queue is there
--       3… for each job its id, and 1 when that is another job, which holds the unique key
--
-- @keys META, JOBS, SCHEDULED, IDEMPOTENCY?
-- @include clock, counts, job, legacy_worker, queue, ready, receipt, unique_key, wakeup

local FIRST, FIELDS = 5, 6
local fingerprint, remembered_for, failed, worker = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local listed, generation, waiting, packed_settings =
  unpack(redis.call('HMGET', META, 'listed', 'generation', 'waiting', 'settings'))
local max_bytes = packed_settings and cmsgpack.unpack(packed_settings).max_bytes

if fingerprint ~= '' then
  local packed = redis.call('GET', IDEMPOTENCY)
  local answer = packed and cmsgpack.unpack(packed)
  -- An answer from before the queue was deleted does not count: its jobs are gone.
  if answer and answer.generation == (generation or '0') then
    if answer.fingerprint ~= fingerprint then
      return {'mismatch', -1}
    end
    return {'replayed', open_queue(listed, generation), unpack(answer.jobs)}
  end
end
if max_bytes then
  for i = FIRST, #ARGV, FIELDS do
    if #ARGV[i] > max_bytes then
      return {'too-large', -1}
    end
  end
end

local reply = {'inserted', open_queue(listed, generation)}
local count = (#ARGV - FIRST + 1) / FIELDS
-- The first write is one that a full Redis refuses: then nothing was changed.
local sequence = redis.call('HINCRBY', META, 'sequence', count) - count
local given_back = {}
if failed == '1' then
  for _, receipt in ipairs(legacy_receipts_of(worker)) do
    local id = find_active(receipt)
    if id then
      given_back[id] = true
    end
  end
end

local inserted, last_due = 0, ''
for i = FIRST, #ARGV, FIELDS do
  local payload, priority, due, unique = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local held_for, options = ARGV[i + 4], ARGV[i + 5]
  local holder
  if unique ~= '' then
    release_overdue_keys(10)
    holder = holder_of(unique)
    -- The job that comes back may hold the key itself.
    holder = not given_back[holder] and holder
  end
  if holder then
    reply[#reply + 1], reply[#reply + 2] = holder, 1
  else
    sequence, inserted = sequence + 1, inserted + 1
    local id = new_id(sequence, priority)
    redis.call('HSET', JOBS, id, encode(options, payload))
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
      hold_key(id, unique, held_for ~= '' and NOW + tonumber(held_for) or nil)
    end
    reply[#reply + 1], reply[#reply + 2] = id, 0
  end
end

if inserted > 0 then
  count_rate('inserted', inserted)
  if failed == '1' then
    count_failed(worker)
    ack_legacy_receipts(worker, settings_of(packed_settings))
  end
  wake(waiting, inserted)
  -- All that wait must learn of a job that is due before what they wait for.
  local first = last_due ~= '' and redis.call('ZRANGE', SCHEDULED, 0, 0)[1]
  if first and sequence_of(first) > sequence - inserted then
    wake(waiting, MAX_TOKENS)
  end
end
if fingerprint ~= '' then
  local answer = {generation = generation or '0', fingerprint = fingerprint, jobs = {unpack(reply, 3)}}
  redis.call('SET', IDEMPOTENCY, cmsgpack.pack(answer), 'PX', remembered_for)
end
return reply
