-- How a job is gone. Its id is in no set of a state any more.

local function forget(id)
  redis.call('HDEL', JOBS, id)
  redis.call('HDEL', RUNS, id)
end
