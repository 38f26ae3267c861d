-- How jobs are shared among the readers that are there.

-- How many jobs are handed out in one call, and how many bytes of them.
local MOST_HANDED_OUT, HANDED_OUT_BYTES = 100, 4194304

-- Whose turn it is, job by job: in the order in which they came, on from the one who was last, until one has all the mail
-- that it can have. The others wait for that one, so that all get equally many.
local function turns(readers)
  local last = redis.call('HGET', META, 'turn') or ''
  local at, mail = 1, {}
  for i = #readers, 1, -1 do
    mail[i] = mail_count(readers[i])
    if readers[i] > last then
      at = i
    end
  end
  local order = {}
  while #order < MOST_HANDED_OUT and mail[at] < MOST_MAIL do
    order[#order + 1] = {readers[at]}
    mail[at] = mail[at] + 1
    at = at % #readers + 1
  end
  return order
end

-- Everybody, job by job, until one has all the mail that it can have.
local function everybody(readers)
  local most = MOST_HANDED_OUT
  for _, reader in ipairs(readers) do
    most = math.min(most, MOST_MAIL - mail_count(reader))
  end
  local order = {}
  for i = 1, most do
    order[i] = readers
  end
  return order
end

-- Puts the next jobs into the mail. Gives the readers that have some by that (as the keys of a table), and whether there
-- may be more jobs at once.
local function share_out(policy, settings)
  local readers, have_mail = redis.call('ZRANGE', READERS, LATER, '+inf', 'BYSCORE'), {}
  if #readers == 0 or redis.call('EXISTS', READY) == 0 then
    return have_mail, false
  end
  table.sort(readers)
  local alone = policy == 'roundrobin'
  local order = alone and turns(readers) or everybody(readers)
  local place = redis.call('HINCRBY', META, 'mailed', #order) - #order
  local handed_out = 0
  local taken, stopped_at_expired = take(#order, HANDED_OUT_BYTES, settings, function(id, options, _, payload)
    handed_out = handed_out + 1
    local to = order[handed_out]
    local receipt = lease_out(id, options, alone and to[1] or '', MAIL_LEASE, nil, #to)
    for _, reader in ipairs(to) do
      redis.call('ZADD', MAIL, 0, mail_entry(reader, place + handed_out, receipt))
      have_mail[reader] = true
    end
    if not alone then
      note_past(id, '', options, payload)
    end
  end)
  if taken > 0 then
    count_claimed('', taken)
    redis.call('PEXPIRE', MAIL, 86400000)
    if alone then
      redis.call('HSET', META, 'turn', order[taken][1])
    end
  end
  return have_mail, stopped_at_expired or taken == #order and taken > 0
end
