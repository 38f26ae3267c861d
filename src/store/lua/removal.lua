-- How jobs are cancelled that have not ended.
--
-- @keys
-- @include ending, execution, job, legacy_worker

-- Takes a job that is no compact one, its state, and its position in that.
local function cancel_unfinished(id, state, position, settings)
  local execution = load_execution(id)
  local rules = rules_of(id, execution)
  redis.call('ZREM', STATES[state], id)
  if state == 'active' then
    forget_legacy_receipt(id, execution)
  end
  cancel(id, rules, execution, settings, state == 'active' and position or nil)
end
