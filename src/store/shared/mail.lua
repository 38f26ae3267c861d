-- What becomes of mail. In its run a mailed job has `mail`: for how many readers it is still there (`copies`), whether one
-- got it (`sent`), and who gets it alone (`to`, empty where all do).

local function finish(id, run, settings)
  redis.call('ZREM', ACTIVE, id)
  complete(id, run, settings)
  return 1
end

-- The run and the id that an entry of somebody's mail stands for; nil when it is over.
local function mailed(entry)
  local run, id = holding(receipt_in(entry))
  if run and run.mail then
    return run, id
  end
end

-- A reader was sent what this entry of its mail stands for. Gives how many jobs are done by that.
local function deliver(entry, settings, keeps_past)
  local run, id
  if redis.call('ZREM', MAIL, entry) == 1 then
    run, id = mailed(entry)
  end
  if not run then
    return 0
  end
  local mail = run.mail
  if keeps_past and not mail.sent then
    note_past(id, mail.to)
  end
  if mail.copies > 1 then
    mail.copies, mail.sent = mail.copies - 1, true
    save_run(id, run)
    return 0
  end
  return finish(id, run, settings)
end

-- A reader will not be sent a job. It goes to others, unless it is with them already.
local function take_back(entry, settings)
  redis.call('ZREM', MAIL, entry)
  local run, id = mailed(entry)
  if not run then
    return 0
  end
  local mail = run.mail
  if mail.copies > 1 then
    mail.copies = mail.copies - 1
    save_run(id, run)
    return 0
  end
  if mail.sent then
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
