-- Readers, and entries of their mail.

-- How long a reader counts as there since it last said so, and how long the lease of its mail is, in ms.
local PRESENCE, MAIL_LEASE = 12000, 20000

-- How much mail a reader can have.
local MOST_MAIL = 100

-- Readers sort by when they came.
local READER_LENGTH, PLACE_LENGTH = 16, 13

local function new_reader(number)
  return string.format('%011x%05x', NOW, number % 2 ^ 20)
end

local function mail_entry(reader, place, receipt)
  return reader .. string.format('%013x', place) .. receipt
end

local function reader_in(entry)
  return string.sub(entry, 1, READER_LENGTH)
end

local function receipt_in(entry)
  return string.sub(entry, READER_LENGTH + PLACE_LENGTH + 1)
end

local function mail_of(reader)
  return redis.call('ZRANGE', MAIL, '[' .. reader, '(' .. reader .. '~', 'BYLEX', 'LIMIT', 0, MOST_MAIL)
end

local function mail_count(reader)
  return redis.call('ZLEXCOUNT', MAIL, '[' .. reader, '(' .. reader .. '~')
end

local function is_there(reader)
  redis.call('ZADD', READERS, NOW + PRESENCE, reader)
  redis.call('PEXPIRE', READERS, 2 * PRESENCE)
end
