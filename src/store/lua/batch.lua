-- Batches: very many jobs without options, in one insert.
--
-- A batch that is too large for one run of a script comes in slices, so that others are served in between, and is all or
-- nothing nevertheless. Its slices are first staged in a list of their own, which expires when no more come. Then the batch is
-- committed: its slices go, unread, to BATCHES, where they are jobs of the queue that cannot get lost any more. They count as
-- ready, even where they are due later. From there they are taken in, slice by slice: by the request that inserts the batch,
-- and by whatever lists jobs or hands them out, before it does.
--
-- @keys META, JOBS, READY, SCHEDULED, BATCHES
-- @include clock, job, ready

-- The payloads of a slice: each after its length and a colon.
local function payloads_in(slice)
  local offset, payloads = 1, {}
  while offset <= #slice do
    local colon = string.find(slice, ':', offset, true)
    local last = colon + tonumber(string.sub(slice, offset, colon - 1))
    payloads[#payloads + 1] = string.sub(slice, colon + 1, last)
    offset = last + 1
  end
  return payloads
end

-- As many values as the server's Lua can pass to one command, and some to spare.
local MAX_VALUES = 2000

-- Stores jobs with the numbers from `number` on, inserted at a time (ms). `due` (ms) is empty for at once.
local function store_payloads(payloads, number, time, due, priority)
  local records, members = {}, {}
  local function flush()
    if #records > 0 then
      redis.call('HSET', JOBS, unpack(records))
    end
    redis.call('ZADD', due == '' and READY or SCHEDULED, unpack(members))
    records, members = {}, {}
  end
  for offset, payload in ipairs(payloads) do
    local id = new_id(number + offset - 1, priority, time)
    members[#members + 1] = due == '' and position_of(number + offset - 1, priority) or due
    if due == '' and is_compact('', payload) then
      members[#members + 1] = id .. payload
    else
      members[#members + 1] = id
      records[#records + 1], records[#records + 2] = id, encode('', payload)
    end
    if #members == MAX_VALUES or offset == #payloads then
      flush()
    end
  end
end

-- Lets a batch whose slices are staged wait to be taken in. The job of its first payload has the number `number`. The field
-- `to-take-in` of META counts the jobs that wait.
local function commit(staged_key, count, slices, number, due, priority)
  local batch = {slices = slices, number = number, time = NOW, due = due, priority = priority}
  redis.call('HSET', META, 'next-event', 0)
  redis.call('HINCRBY', META, 'to-take-in', count)
  redis.call('RPUSH', BATCHES, cmsgpack.pack(batch))
  for _ = 1, slices do
    redis.call('LMOVE', staged_key, BATCHES, 'LEFT', 'RIGHT')
  end
end

-- Takes the next slice in, of the first batch that waits for it. Returns its jobs and their bytes where they are ready by that,
-- else 0 and 0.
local function take_in_slice()
  local packed, slice = unpack(redis.call('LRANGE', BATCHES, 0, 1))
  if not packed then
    return 0, 0
  end
  local batch, payloads = cmsgpack.unpack(packed), payloads_in(slice)
  store_payloads(payloads, batch.number, batch.time, batch.due, batch.priority)
  batch.slices, batch.number = batch.slices - 1, batch.number + #payloads
  redis.call('LPOP', BATCHES)
  if batch.slices > 0 then
    redis.call('LSET', BATCHES, 0, cmsgpack.pack(batch))
  else
    redis.call('LPOP', BATCHES)
  end
  redis.call('HINCRBY', META, 'to-take-in', -#payloads)
  if batch.due ~= '' then
    return 0, 0
  end
  return #payloads, #slice
end

local function has_batches()
  return redis.call('EXISTS', BATCHES) == 1
end

-- How many slices one call takes in at most, and how many bytes are enough: as many as are handed out at once.
local MAX_SLICES, ENOUGH_BYTES = 5, 4194304

-- Lets in what is to be handed out, at most about so many jobs: slices of batches, and the first scheduled jobs that are due.
-- Returns how many jobs were taken in and are ready, and whether jobs still wait that are to be handed out before others that
-- are ready.
local function let_in(max_jobs)
  local jobs, bytes, slices = 0, 0, 0
  while jobs < max_jobs and bytes < ENOUGH_BYTES and slices < MAX_SLICES and has_batches() do
    local taken_in, taken_in_bytes = take_in_slice()
    jobs, bytes, slices = jobs + taken_in, bytes + taken_in_bytes, slices + 1
  end
  promote(max_jobs)
  return jobs, jobs < max_jobs and bytes < ENOUGH_BYTES and has_batches()
end
