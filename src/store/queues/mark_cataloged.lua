-- Marks a queue as being in the catalog, unless it does not exist, or was deleted since it was entered there.
--
-- ARGV  1 the generation that was entered
-- Reply 1 whether it was marked: 1, or 0 when the queue does not exist any more
--
-- @keys META

if redis.call('HEXISTS', META, 'status') == 0 or (redis.call('HGET', META, 'generation') or '0') ~= ARGV[1] then
  return {0}
end
redis.call('HSET', META, 'cataloged', ARGV[1])
return {1}
