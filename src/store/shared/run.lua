-- What changes of a job, and what its options say.

-- The options have these fields, each only where it is given:
--   max_attempts   failures until the job is dead
--   backoff        'fixed' or 'exponential', with backoff_delay and backoff_max in ms
--   timeout        lease in ms
--   expires        ms after its insertion
--   unique         key; released when first claimed, or as unique_scope says: 'unfinished', 'time'
--   metadata, traceparent, tracestate
local function unpack_options(options)
  if options == '' then
    return {}
  end
  return cmsgpack.unpack(options)
end

-- What changes is there from the first claim on:
--   claims         how often the job was handed out
--   failures, lost leases: since its insertion or redrive
--   worker, claimed (ms), lease (ms): of the last claim
--   unique         the key, where it is held until the job ends
--   progress, result
--   errors         the last of them: {at, claim, text}
--   ended (ms)     when it got done, dead or cancelled
--   reason         why it is dead: 'failed', 'lost', 'expired', 'nacked'
--   redriven       whether it was: it expires no more
local function load_run(id)
  local run = redis.call('HGET', RUNS, id)
  if run then
    return cmsgpack.unpack(run)
  end
  return {claims = 0, failures = 0, lost = 0}
end

local function save_run(id, run)
  redis.call('HSET', RUNS, id, cmsgpack.pack(run))
end

local function load_options(id)
  local record = redis.call('HGET', JOBS, id)
  return unpack_options((decode(record)))
end

-- A receipt is a job's id and the number of the hand-out that it is for.
local function receipt_of(id, claim)
  return id .. '-' .. claim
end
