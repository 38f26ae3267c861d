-- Cancels a job, or forgets one that has ended.
--
-- ARGV  1 id
-- Reply 1 'cancelled' (also when it was before), 'forgotten' (it was done or dead), 'unknown'
--
-- @keys META, JOBS
-- @include ending, execution, job, legacy_worker, orphan, queue, ready

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
local settings = settings_of(redis.call('HGET', META, 'settings'))
local execution = load_execution(id)
local rules = rules_of(id, execution)
redis.call('ZREM', STATES[state], id)
if state == 'active' then
  forget_legacy_receipt(id, execution)
end
cancel(id, rules, execution, settings, state == 'active' and score or nil)
return {'cancelled'}
