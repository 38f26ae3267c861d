-- A job's execution: what changes of a job; and what decides over its attempts.
--
-- @keys JOBS
-- @include clock, job

-- There is an execution from the first claim on, or from when the job was first shown or ended before that. Its fields:
--   claims         how often the job was claimed
--   failures, lost_leases: since its insertion or redrive
--   worker, claimed (ms): of the last claim; lease (ms): of that, or of the last extend
--   legacy         whether a legacy worker has the receipt
--   distribution   of a job that is delivered to subscribers, see delivery.lua
--   rules          the options that are needed when the job ends or is tried again, so that its record need not be read
--   progress, result
--   errors         the last of them: {at, claim, text}
--   released       since its insertion or redrive: {times}, and of the last time {at, claim, text}; nil for never
--   ended (ms)     when it got done, dead or cancelled
--   reason         why it is dead: 'failed', 'lost-leases', 'expired', 'rejected'
--   redriven       whether it was: then it expires no more
--   shown          how often it was shown as the next job, nil for never
-- Takes the field of JOBS, false for a job without an execution.
local function unpack_execution(packed)
  return packed and cmsgpack.unpack(packed) or {claims = 0, failures = 0, lost_leases = 0}
end

local function load_execution(id)
  return unpack_execution(redis.call('HGET', JOBS, execution_field(id)))
end

-- Saves an execution, and beside it the job's record where that is given. Returns the packed execution.
local function save_execution(id, execution, record)
  local packed = cmsgpack.pack(execution)
  if record then
    redis.call('HSET', JOBS, execution_field(id), packed, id, record)
  else
    redis.call('HSET', JOBS, execution_field(id), packed)
  end
  return packed
end

-- Those of a job's options that are needed when it ends or is tried again.
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

-- The rules of a job: kept in its execution from the first claim on.
local function rules_of(id, execution)
  return execution.rules or rules_in(load_options(id))
end

-- A number from 0 to 1 that is always the same for this job and this failure.
local function jitter(id, failures)
  return tonumber(string.sub(redis.sha1hex(id .. ':' .. failures), 1, 8), 16) / 4294967295
end

-- The delay until the next attempt after the nth failure, in ms.
local function retry_delay(id, failures, rules, settings)
  local backoff = rules.backoff and rules or settings
  if backoff.backoff == 'fixed' then
    return backoff.backoff_delay
  end
  -- A double holds the power, and min bounds it again.
  local delay = math.min(backoff.backoff_max, backoff.backoff_delay * 2 ^ math.min(failures - 1, 60))
  return math.floor(delay * (1 - jitter(id, failures) / 2))
end

-- Whether a job is dead after so many failures.
local function is_out_of_attempts(failures, rules, settings)
  return failures >= (rules.max_attempts or settings.max_attempts)
end

-- Whether a job is dead after so many lost leases.
local function is_out_of_leases(lost, settings)
  return lost >= settings.max_lost_leases
end

-- The lease of a job (ms), where the claim asks for `asked`, nil for none.
local function lease_for(asked, options, queue_lease)
  return asked or options.lease or queue_lease
end

-- @rare
local function has_expired(id, options, execution)
  return options.expires and not execution.redriven and inserted_of(id) + options.expires <= NOW
end
