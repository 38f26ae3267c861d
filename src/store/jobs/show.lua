-- Shows one job.
--
-- ARGV  1 id
-- Reply the job's fields, see add_job; nothing when there is no such job
--
-- @keys JOBS
-- @include job

local id = ARGV[1]
local state, score = state_of(id)
if not state then
  return {}
end
local reply = {}
add_job(reply, id, state, score, decode(redis.call('HGET', JOBS, id)))
return reply
