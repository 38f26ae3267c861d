-- Inserts many jobs, all of them or none.
--
-- KEYS  1 meta, 2 ready, 3 scheduled
-- ARGV  1 the payloads, each after its length and a colon
--       2 due time in milliseconds of all of them, empty for at once
-- Reply 1 generation: to enter in the list of queues, or -1 when the queue is there

local batch, due = ARGV[1], ARGV[2]
local generation = begin(KEYS[1])

-- As many as the server's Lua can pass to one command, with room to spare.
local SLICE = 1000
local slice = {}
local function push()
  if #slice > 0 then
    redis.call('RPUSH', KEYS[2], unpack(slice))
    slice = {}
  end
end

local at = 1
while at <= #batch do
  local colon = string.find(batch, ':', at, true)
  local last = colon + tonumber(string.sub(batch, at, colon - 1))
  local entry = encode(string.sub(batch, colon + 1, last), '')
  if due ~= '' then
    schedule(KEYS[1], KEYS[3], due, entry)
  else
    slice[#slice + 1] = entry
    if #slice == SLICE then
      push()
    end
  end
  at = last + 1
end
push()
return {generation}
