-- A waiting job as one string: the length of its unique key (nothing when it has none), a colon, the key, the payload.
-- Without a key a job costs one byte beyond its payload.

local function encode(payload, unique)
  if unique == '' then
    return ':' .. payload
  end
  return #unique .. ':' .. unique .. payload
end

-- Gives the payload, and the unique key or nil.
local function decode(entry)
  local colon = string.find(entry, ':', 1, true)
  if colon == 1 then
    return string.sub(entry, 2)
  end
  local start = colon + 1
  local length = tonumber(string.sub(entry, 1, colon - 1))
  return string.sub(entry, start + length), string.sub(entry, start, start + length - 1)
end
