-- Cancels a job, or forgets one that has ended.
--
-- ARGV  1 id
-- Reply 1 'cancelled' (also when it was before), 'forgotten' (it was done or dead), 'unknown'
--
-- @keys META, JOBS
-- @include job, orphan, queue, ready, removal

local id = ARGV[1]
expand(id)
local state, score = state_of(id)
if not state then
  return {'unknown'}
end
if redis.call('HEXISTS', JOBS, id) == 0 then
  drop_orphan(STATES[state], id)
  return tell_orphans({'unknown'})
end
if state == 'cancelled' then
  return {'cancelled'}
end
if state == 'done' or state == 'dead' then
  redis.call('ZREM', STATES[state], id)
  forget(id)
  return {'forgotten'}
end
cancel_unfinished(id, state, score, settings_of(redis.call('HGET', META, 'settings')))
return {'cancelled'}
