-- Readers that went without a word.

-- When nobody looked for so long (ms), it was not the readers that were gone, but the store: they look every five seconds.
local SILENCE = 8000

-- How many of them are forgotten at once.
local MOST_FORGOTTEN = 10

-- Forgets the first readers that did not say for too long that they are there. Takes the time of the last look, the field
-- `looked` of meta. Gives how many jobs are done by that, and whether all readers were given more time instead.
local function forget_absent(looked, settings)
  local were_cut_off = looked and tonumber(looked) < NOW - SILENCE or false
  local most, done = were_cut_off and -1 or MOST_FORGOTTEN, 0
  local absent = redis.call('ZRANGE', READERS, '-inf', NOW, 'BYSCORE', 'LIMIT', 0, most)
  for _, reader in ipairs(absent) do
    if were_cut_off then
      redis.call('ZADD', READERS, NOW + PRESENCE, reader)
    else
      done = done + forget_reader(reader, settings)
    end
  end
  redis.call('HSET', META, 'looked', NOW)
  return done, were_cut_off
end
