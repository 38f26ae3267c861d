-- Takes the next slice in of the batches that wait for it, see batch.lua.
--
-- Reply whether more wait: 1 or 0
--
-- @keys META, BATCHES
-- @include batch, queue, wakeup

-- The jobs are there already, and take no more memory than their slices.
allow_when_full()
wake(redis.call('HGET', META, 'waiting-until'), take_in_slice())
return {redis.call('EXISTS', BATCHES)}
