-- Tells all about one job.
--
-- KEYS  the queue's
-- ARGV  1 id
-- Reply its fields as in view.lua; nothing when there is no such job

local id = ARGV[1]
local state, score = state_of(id)
if not state then
  return {}
end
local reply = {}
add_view(reply, id, state, score, decode(redis.call('HGET', JOBS, id)))
return reply
