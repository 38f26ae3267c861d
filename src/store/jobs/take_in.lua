-- Takes the next slice in of the batches that wait for it, see batch.lua.
--
-- Reply whether more wait: 1 or 0
--
-- @promises nothing
-- @keys META
-- @include batch, queue, wakeup

-- The jobs are inserted already: they come in though they take more memory than their slices.
allow_when_full()
local ready = take_in_slice()
wake(redis.call('HGET', META, 'waiting-until'), ready)
return {has_batches() and 1 or 0}
