-- Stages a slice of a batch, which inserts nothing yet: see batch.lua.
--
-- ARGV  1 the slice
--       2 how many bytes the largest payload has
-- Reply how many slices are staged; -1 when a payload is larger than the queue's setting max_bytes, then none is
--
-- @promises nothing
-- @keys META, STAGED

-- How long staged slices wait for the next one (ms).
local STAGED_TTL = 60000

local settings = redis.call('HGET', META, 'settings')
if settings and tonumber(ARGV[2]) > (cmsgpack.unpack(settings).max_bytes or math.huge) then
  redis.call('UNLINK', STAGED)
  return {-1}
end
local slices = redis.call('RPUSH', STAGED, ARGV[1])
redis.call('PEXPIRE', STAGED, STAGED_TTL)
return {slices}
