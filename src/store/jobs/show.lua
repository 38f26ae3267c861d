-- Shows one job.
--
-- ARGV  1 id
-- Reply the job's fields, see add_job; nothing when there is no such job
--
-- @promises nothing
-- @keys JOBS
-- @include job, orphan, ready

local id = ARGV[1]
expand(id)
local state, score = state_of(id)
if not state then
  return {}
end
local packed, payload = read_record(id)
if not packed then
  drop_orphan(STATES[state], id)
  return tell_orphans({})
end
local reply = {}
add_job(reply, id, state, score, redis.call('HGET', JOBS, execution_field(id)), packed, payload)
return reply
