-- What becomes of mail. A job's run tells for how many readers it is still in the mail (`copies`), whether one got it
-- (`sent`), and who gets it alone (`worker`, empty where all do).

local function finish(id, run, settings)
  redis.call('ZREM', ACTIVE, id)
  complete(id, run, settings)
  return 1
end

-- A reader was sent what these entries of its mail stand for. Gives how many jobs are done by that.
local function deliver(entry, settings)
  if redis.call('ZREM', MAIL, entry) == 0 then
    return 0
  end
  local run, id = holding(receipt_in(entry))
  if not run then
    return 0
  end
  if run.worker ~= '' then
    local packed, payload = decode(redis.call('HGET', JOBS, id))
    note_past(id, run.worker, unpack_options(packed), payload)
  end
  if run.copies > 1 then
    run.copies, run.sent = run.copies - 1, true
    save_run(id, run)
    return 0
  end
  return finish(id, run, settings)
end

-- A reader will not be sent a job. It goes to others, unless it is with them already.
local function take_back(entry, settings)
  redis.call('ZREM', MAIL, entry)
  local run, id = holding(receipt_in(entry))
  if not run then
    return 0
  end
  if run.copies > 1 then
    run.copies = run.copies - 1
    save_run(id, run)
    return 0
  end
  if run.sent then
    return finish(id, run, settings)
  end
  redis.call('ZREM', ACTIVE, id)
  to_ready(id)
  return 0
end

-- Forgets a reader. Gives how many jobs are done by that.
local function forget_reader(reader, settings)
  local done = 0
  for _, entry in ipairs(mail_of(reader)) do
    done = done + take_back(entry, settings)
  end
  redis.call('ZREM', READERS, reader)
  return done
end

-- Forgets the first readers that went without a word.
local function forget_absent(settings)
  local done = 0
  for _, reader in ipairs(redis.call('ZRANGE', READERS, '-inf', NOW, 'BYSCORE', 'LIMIT', 0, 10)) do
    done = done + forget_reader(reader, settings)
  end
  return done
end
