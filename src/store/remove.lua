-- Cancels a job, or forgets one that has ended.
--
-- KEYS  the queue's
-- ARGV  1 id
-- Reply 1 'cancelled' (also when it was so before), 'removed' (it was done or dead), 'unknown'

local id = ARGV[1]
local state, score = state_of(id)
if not state then
  return {'unknown'}
end
if state == 'cancelled' then
  return {'cancelled'}
end
redis.call('ZREM', STATES[state], id)
if state == 'done' or state == 'dead' then
  forget(id)
  return {'removed'}
end
local settings = with_defaults(redis.call('HGET', META, 'settings'))
local run = load_run(id)
if state == 'active' then
  let_go(id, run)
end
cancel(id, rules_of(id, run), run, settings, state == 'active' and score or nil)
return {'cancelled'}
