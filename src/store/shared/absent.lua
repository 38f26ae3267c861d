-- Readers that went without a word.

-- When nobody looked for so long (ms), it was not the readers that were gone, but the store: they look every five seconds.
local SILENCE = 8000

-- Forgets the first readers that did not say for too long that they are there. Takes the time of the last look, the field
-- `looked` of meta. Gives how many jobs are done by that, and whether readers were given more time instead.
local function forget_absent(looked, settings)
  local absent = redis.call('ZRANGE', READERS, '-inf', NOW, 'BYSCORE', 'LIMIT', 0, 10)
  local were_cut_off = looked and tonumber(looked) < NOW - SILENCE or false
  local done = 0
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
