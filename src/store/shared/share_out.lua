-- How jobs are shared among the readers that are there.

-- How many jobs are shared out in one call, how many bytes of them, and how many entries of mail.
local MOST_SHARED_OUT, SHARED_OUT_BYTES, MOST_ENTRIES = 100, 4194304, 5000

-- Whose turn it is, job by job: in the order in which they came, on from the one who was last, until one has all the mail
-- that it can have. The others wait for that one, so that all get equally many.
local function turns_of(readers)
  local last = redis.call('HGET', META, 'turn') or ''
  local at, mail = 1, {}
  for i = #readers, 1, -1 do
    mail[i] = mail_count(readers[i])
    if readers[i] > last then
      at = i
    end
  end
  local turns = {}
  while #turns < MOST_SHARED_OUT and mail[at] < MOST_MAIL do
    turns[#turns + 1] = readers[at]
    mail[at] = mail[at] + 1
    at = at % #readers + 1
  end
  return turns
end

-- How many jobs can go to everybody, until one has all the mail that it can have.
local function room_of(readers)
  local most = math.max(1, math.min(MOST_SHARED_OUT, math.floor(MOST_ENTRIES / #readers)))
  for _, reader in ipairs(readers) do
    most = math.min(most, MOST_MAIL - mail_count(reader))
  end
  return most
end

-- Puts the next jobs into the mail. Gives the readers that have some by that, as the keys of a table; and 'more' when
-- there may be more jobs at once, 'blocked' when jobs wait for a reader that has all the mail that it can have.
local function share_out(policy, settings)
  local readers, have_mail = redis.call('ZRANGE', READERS, LATER, '+inf', 'BYSCORE'), {}
  if #readers == 0 or redis.call('EXISTS', READY) == 0 then
    return have_mail
  end
  table.sort(readers)
  local turns = policy == 'roundrobin' and turns_of(readers)
  local most = turns and #turns or room_of(readers)
  if most == 0 then
    return have_mail, 'blocked'
  end
  local place, shared_out = redis.call('HINCRBY', META, 'mailed', most) - most, 0
  local taken = take(most, SHARED_OUT_BYTES, settings, function(id, options)
    shared_out = shared_out + 1
    local alone = turns and turns[shared_out]
    local to = alone and {alone} or readers
    local receipt = lease_out(id, options, '', MAIL_LEASE, nil, {copies = #to, to = alone or ''})
    for _, reader in ipairs(to) do
      redis.call('ZADD', MAIL, 0, mail_entry(reader, place + shared_out, receipt))
      have_mail[reader] = true
    end
  end)
  if taken > 0 then
    count_claimed('', taken)
    redis.call('PEXPIRE', MAIL, 86400000)
    if turns then
      redis.call('HSET', META, 'turn', turns[taken])
    end
  end
  return have_mail, redis.call('EXISTS', READY) == 1 and 'more' or nil
end
