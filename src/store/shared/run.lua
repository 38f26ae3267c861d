-- What changes of a job.

-- What changes is there from the first claim on, or from when the job was first shown or ended before that:
--   claims         how often the job was handed out
--   failures, lost (leases): since its insertion or redrive
--   worker, claimed (ms), lease (ms): of the last claim
--   held           whether a worker of 2010 holds it
--   mail           where it is in the mail of readers, see mail.lua
--   rules          those of its options that decide what becomes of it, so that its payload need not be read for them
--   progress, result
--   errors         the last of them: {at, claim, text}
--   ended (ms)     when it got done, dead or cancelled
--   reason         why it is dead: 'failed', 'lost', 'expired', 'nacked'
--   redriven       whether it was: it expires no more
--   shown          how often it was shown as the next one, nil for never
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
