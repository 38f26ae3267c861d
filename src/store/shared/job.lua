-- A job: its id, and what never changes of it.

-- Ids sort by the number that a queue gives its jobs. The time makes an id one that never was before, should Redis come
-- back from an older copy with an older sequence. The last digit is the priority: what moves a job needs its id alone.
local function new_id(sequence, priority)
  return string.format('%012x%011x%x', sequence, NOW, priority)
end

local function sequence_of(id)
  return tonumber(string.sub(id, 1, 12), 16)
end

local function inserted_of(id)
  return tonumber(string.sub(id, 13, 23), 16)
end

local function priority_of(id)
  return tonumber(string.sub(id, 24), 16)
end

-- What never changes is one string: the length of the packed options (nothing when there are none), a colon, the
-- options, the payload. Without options a job's record has one byte beyond its payload.
local function encode(options, payload)
  if options == '' then
    return ':' .. payload
  end
  return #options .. ':' .. options .. payload
end

-- Gives the packed options and the payload.
local function decode(record)
  local colon = string.find(record, ':', 1, true)
  if colon == 1 then
    return '', string.sub(record, 2)
  end
  local start = colon + 1
  local length = tonumber(string.sub(record, 1, colon - 1))
  return string.sub(record, start, start + length - 1), string.sub(record, start + length)
end

-- The options have these fields, each only where it is given:
--   max_attempts   failures until the job is dead
--   backoff        'fixed' or 'exponential', with backoff_delay and backoff_max in ms
--   timeout        lease in ms
--   expires        ms after its insertion
--   unique         key; released when first claimed, or as unique_scope says: 'unfinished', 'time'
--   metadata, traceparent, tracestate
--   text           true where the payload is a JSON string that stands for a text which is no JSON itself
local function unpack_options(options)
  if options == '' then
    return {}
  end
  return cmsgpack.unpack(options)
end

local function load_options(id)
  local record = redis.call('HGET', JOBS, id)
  return unpack_options((decode(record)))
end
