-- Makes this script go on when Redis is at its memory limit, which refuses a script only at its first write and only when
-- that one may need memory. For what ends jobs and so frees memory; most of it takes a job out of a set first, which is
-- such a write.
local function although_full()
  redis.call('ZREM', ACTIVE, '')
end
