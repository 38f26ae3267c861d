-- Those options of a job that decide what becomes of it.

local function rules_in(options)
  return {
    max_attempts = options.max_attempts,
    backoff = options.backoff,
    backoff_delay = options.backoff_delay,
    backoff_max = options.backoff_max,
    unique = options.unique,
    unique_scope = options.unique_scope,
  }
end

-- What decides over a job: noted in its run from the first claim on.
local function rules_of(id, run)
  return run.rules or rules_in(load_options(id))
end
