-- Tells what overviews have remembered: a queue and its summary, one after another.
--
-- @keys OVERVIEW

return redis.call('HGETALL', OVERVIEW)
