-- Inserts many jobs, all of them or none.
--
-- KEYS  1 meta, 2 ready, 3 scheduled
-- ARGV  1 the payloads, each after its length and a colon
--       2 how many they are
--       3 due time in milliseconds of all of them, empty for at once
-- Reply 1 generation: to enter in the list of queues, or -1 when the queue is there

local batch, count, due = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local generation = begin(KEYS[1])

-- As many values as the server's Lua can pass to one command, with room to spare.
local SLICE = 2000
local slice = {}
local function flush()
  if #slice > 0 then
    if due == '' then
      redis.call('RPUSH', KEYS[2], unpack(slice))
    else
      redis.call('ZADD', KEYS[3], unpack(slice))
    end
    slice = {}
  end
end

local number = due ~= '' and redis.call('HINCRBY', KEYS[1], 'sequence', count) - count
local at = 1
while at <= #batch do
  local colon = string.find(batch, ':', at, true)
  local last = colon + tonumber(string.sub(batch, at, colon - 1))
  local entry = encode(string.sub(batch, colon + 1, last), '')
  if number then
    number = number + 1
    slice[#slice + 1] = due
    entry = scheduled_member(number, entry)
  end
  slice[#slice + 1] = entry
  if #slice == SLICE then
    flush()
  end
  at = last + 1
end
flush()
return {generation}
