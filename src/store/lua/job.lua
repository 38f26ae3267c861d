-- A job: its id, its state, and what never changes of it.
--
-- @keys JOBS, READY, SCHEDULED, ACTIVE, DONE, DEAD, CANCELLED
-- @include clock

-- An id is 12 bytes: what clients see of it in 24 hexadecimal digits. Six are the number that the queue gives its jobs, by
-- which ids sort. The others are the time of the insertion and, in the last four bits, the priority. The time makes an id
-- unique even when Redis comes back from an older copy, with an older sequence; with the priority a script can make a job
-- ready without reading its record.
local function new_id(number, priority, time)
  return struct.pack('>I6I6', number, time * 16 + priority)
end

local ID_LENGTH = 12

local function number_of(id)
  return (struct.unpack('>I6', id))
end

local function inserted_of(id)
  return math.floor(struct.unpack('>I6', id, 7) / 16)
end

local function priority_of(id)
  return struct.unpack('>I6', id, 7) % 16
end

-- A job's record is one string: the length of the packed options (nothing when there are none), a colon, the options, the
-- payload. A job without options takes one byte beyond its payload.
local function encode(options, payload)
  if options == '' then
    return ':' .. payload
  end
  return #options .. ':' .. options .. payload
end

-- Returns the packed options and the payload.
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
--   lease          ms
--   expires        ms after the insertion
--   unique         unique key; released at the first claim, or as unique_scope says: 'unfinished', or 'time' with
--                  unique_for in ms
--   metadata, traceparent, tracestate
--   is_text        true where the payload is a JSON string that stands for a text which is not JSON itself
local function unpack_options(packed)
  if packed == '' then
    return {}
  end
  return cmsgpack.unpack(packed)
end

-- Returns the packed options and the payload of a job; nothing when its record is gone, see orphan.lua.
local function read_record(id)
  local record = redis.call('HGET', JOBS, id)
  if record then
    return decode(record)
  end
end

local function load_options(id)
  return unpack_options(read_record(id) or '')
end

-- The field of JOBS that has a job's execution, see execution.lua: beside its record, so that one command reads or removes
-- both.
local function execution_field(id)
  return id .. 'x'
end

-- Removes what is stored of a job. Its id must be in no set of a state any more.
local function forget(id)
  redis.call('HDEL', JOBS, id, execution_field(id))
end

-- Each state is a sorted set of ids; a job is in exactly one.
local STATES = {ready = READY, scheduled = SCHEDULED, active = ACTIVE, done = DONE, dead = DEAD, cancelled = CANCELLED}

local ENDED = {done = true, dead = true, cancelled = true}

-- The state of a job and its score in that state's set; nil when there is no such job, or its retention is over.
local function state_of(id)
  for state, key in pairs(STATES) do
    local score = redis.call('ZSCORE', key, id)
    if score and not (ENDED[state] and tonumber(score) <= NOW) then
      return state, tonumber(score)
    end
  end
end

-- Appends a job to a reply, in this order: id, state, score in that state's set, packed execution (false where nothing has
-- changed), packed options, payload.
local function add_job(reply, id, state, score, execution, packed, payload)
  if state == 'scheduled' and score <= NOW then
    state = 'ready'
  end
  local at = #reply
  reply[at + 1] = id
  reply[at + 2] = state
  -- As text: an integer reply is cut to a whole number, and a position has more digits than Lua prints.
  reply[at + 3] = string.format('%.0f', score)
  reply[at + 4] = execution
  reply[at + 5] = packed
  reply[at + 6] = payload
end
