-- A job as it is told to the outside.

-- What is told, in this order: id, state, score in that state's set, packed run (nil where nothing has changed), packed
-- options, payload.
local function add_view(reply, id, state, score, packed, payload)
  if state == 'scheduled' and score <= NOW then
    state = 'ready'
  end
  local at = #reply
  reply[at + 1] = id
  reply[at + 2] = state
  -- As text: an integer reply would be cut to a whole number, and a place is more than a Lua number prints.
  reply[at + 3] = string.format('%.0f', score)
  reply[at + 4] = redis.call('HGET', RUNS, id)
  reply[at + 5] = packed
  reply[at + 6] = payload
end
