-- Shows the next jobs without taking them, in the order in which a fetch would give them.
--
-- KEYS  1 ready, 2 scheduled
-- ARGV  1 how many at most
--       2 how many bytes at most; the first job is shown whatever its size
-- Reply 1 size: the jobs that a fetch would give
--       2… the payloads

local most, room = tonumber(ARGV[1]), tonumber(ARGV[2])
local reply = {size(KEYS[1], KEYS[2])}

-- Looks at a few at a time: a queue can hold jobs of megabytes.
local SLICE = 5
local function show(read, entry_of)
  local from = 0
  while true do
    local slice = read(from)
    for _, member in ipairs(slice) do
      local payload = decode(entry_of(member))
      room = room - #payload
      if #reply > most or (room < 0 and #reply > 1) then
        return
      end
      reply[#reply + 1] = payload
    end
    if #slice < SLICE then
      return
    end
    from = from + SLICE
  end
end

local time = now()
show(function(from)
  return redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', time, 'LIMIT', from, SLICE)
end, scheduled_entry)
if #reply <= most and room > 0 then
  show(function(from)
    return redis.call('LRANGE', KEYS[1], from, from + SLICE - 1)
  end, function(entry)
    return entry
  end)
end
return reply
