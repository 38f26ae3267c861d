-- Inserts very many jobs without options, all of them or none.
--
-- KEYS  the queue's
-- ARGV  1 the payloads, each after its length and a colon
--       2 how many they are
--       3 due time in milliseconds of all of them, empty for at once
--       4 priority
-- Reply 1 outcome: 'inserted', 'too-large' (the queue's setting max_bytes; nothing was changed)
--       2 generation: to enter in the list of queues, or -1 when the queue is there

local batch, count, due, priority = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local meta = redis.call('HMGET', META, 'listed', 'generation', 'waiting', 'settings')
local most = meta[4] and cmsgpack.unpack(meta[4]).max_bytes or math.huge

local at, payloads = 1, {}
while at <= #batch do
  local colon = string.find(batch, ':', at, true)
  local last = colon + tonumber(string.sub(batch, at, colon - 1))
  if last - colon > most then
    return {'too-large', -1}
  end
  payloads[#payloads + 1] = string.sub(batch, colon + 1, last)
  at = last + 1
end

local generation = begin(meta[1], meta[2])
local sequence = redis.call('HINCRBY', META, 'sequence', count) - count

-- As many values as the server's Lua can pass to one command, with room to spare.
local SLICE = 2000
local records, places = {}, {}
local function flush()
  if #records > 0 then
    redis.call('HSET', JOBS, unpack(records))
    redis.call('ZADD', due == '' and READY or SCHEDULED, unpack(places))
    records, places = {}, {}
  end
end
for _, payload in ipairs(payloads) do
  sequence = sequence + 1
  local id = new_id(sequence, priority)
  records[#records + 1], records[#records + 2] = id, encode('', payload)
  places[#places + 1], places[#places + 2] = due == '' and place(id) or due, id
  if #records == SLICE then
    flush()
  end
end
flush()
rate('inserted', count)
wake(meta[3], count)
return {'inserted', generation}
