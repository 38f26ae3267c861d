-- Inserts very many jobs without options, all of them or none.
--
-- ARGV  1 the payloads, each after its length and a colon
--       2 how many they are
--       3 when all of them are due, in milliseconds since 1970; empty for at once
--       4 priority
-- Reply 1 outcome: 'inserted', 'too-large' (more than the queue's setting max_bytes; nothing was changed)
--       2 the time to enter in the catalog, or -1 when the queue is there
--
-- @keys META, JOBS, READY, SCHEDULED
-- @include counts, event, job, queue, ready, sweep, wakeup

local batch, count, due, priority = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local cataloged, waiting_until, packed_settings, sweep_at, slice, next_event = unpack(redis.call(
  'HMGET', META, 'cataloged', 'waiting-until', 'settings', 'sweep-at', 'slice', 'next-event'))
local max_bytes = packed_settings and cmsgpack.unpack(packed_settings).max_bytes or math.huge

local offset, payloads = 1, {}
while offset <= #batch do
  local colon = string.find(batch, ':', offset, true)
  local last = colon + tonumber(string.sub(batch, offset, colon - 1))
  if last - colon > max_bytes then
    return {'too-large', -1}
  end
  payloads[#payloads + 1] = string.sub(batch, colon + 1, last)
  offset = last + 1
end

local generation_to_enter = cataloged and -1 or make_queue()
note_slice(slice)
local number = redis.call('HINCRBY', META, 'sequence', count) - count

-- As many values as the server's Lua can pass to one command, and some to spare.
local MAX_VALUES = 2000
local records, positions = {}, {}
local function flush()
  if #records > 0 then
    redis.call('HSET', JOBS, unpack(records))
    redis.call('ZADD', due == '' and READY or SCHEDULED, unpack(positions))
    records, positions = {}, {}
  end
end
for _, payload in ipairs(payloads) do
  number = number + 1
  local id = new_id(number, priority)
  records[#records + 1], records[#records + 2] = id, encode('', payload)
  positions[#positions + 1], positions[#positions + 2] = due == '' and position_of(number, priority) or due, id
  if #records == MAX_VALUES then
    flush()
  end
end
flush()
if due ~= '' then
  note_event(next_event, tonumber(due))
end
wake(waiting_until, count)
return tell_sweep(sweep_at, {'inserted', generation_to_enter})
