-- Batches: very many jobs without options, in one insert.
--
-- A batch that is too large for one run of a script comes in slices, so that others are served in between, and is all or
-- nothing nevertheless. Its slices are first staged in a list of their own, which expires when no more come. Then the batch is
-- committed: its slices go, unread, to BATCHES, where they are jobs of the queue that cannot get lost any more. From there
-- they are taken in, slice by slice: by the request that inserts the batch, and before any jobs are handed out.
--
-- @keys META, JOBS, READY, SCHEDULED, BATCHES
-- @include job, ready

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

-- Stores jobs with the numbers from `number` on. `due` (ms) is empty for at once.
local function store_payloads(payloads, number, due, priority)
  local records, members = {}, {}
  local function flush()
    if #records > 0 then
      redis.call('HSET', JOBS, unpack(records))
    end
    redis.call('ZADD', due == '' and READY or SCHEDULED, unpack(members))
    records, members = {}, {}
  end
  for offset, payload in ipairs(payloads) do
    local id = new_id(number + offset - 1, priority)
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

-- Lets a batch whose slices are staged wait to be taken in. The job of its first payload has the number `number`.
local function commit(staged_key, slices, number, due, priority)
  local batch = {slices = slices, number = number, due = due, priority = priority}
  redis.call('RPUSH', BATCHES, cmsgpack.pack(batch))
  for _ = 1, slices do
    redis.call('LMOVE', staged_key, BATCHES, 'LEFT', 'RIGHT')
  end
  redis.call('HSET', META, 'next-event', 0)
end

-- Takes the next slice in, of the first batch that waits for it. Returns how many jobs.
local function take_in_slice()
  local packed, slice = unpack(redis.call('LRANGE', BATCHES, 0, 1))
  if not packed then
    return 0
  end
  local batch, payloads = cmsgpack.unpack(packed), payloads_in(slice)
  store_payloads(payloads, batch.number, batch.due, batch.priority)
  batch.slices, batch.number = batch.slices - 1, batch.number + #payloads
  redis.call('LPOP', BATCHES)
  if batch.slices > 0 then
    redis.call('LSET', BATCHES, 0, cmsgpack.pack(batch))
  else
    redis.call('LPOP', BATCHES)
  end
  return #payloads
end
