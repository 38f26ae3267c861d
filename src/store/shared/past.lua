-- What was sent to readers: the last of it, for an event stream that was cut off and says which job it got last.

-- How much is kept, and for how long (ms).
local MOST_PAST, PAST_BYTES, PAST_TIME = 1000, 1048576, 600000

-- Notes a job that was sent. `to` is the reader that alone got it, empty where all do.
local function note_past(id, to)
  local packed, payload = decode(redis.call('HGET', JOBS, id))
  if #payload > PAST_BYTES then
    return
  end
  local text = unpack_options(packed).text and 1 or 0
  local record = cmsgpack.pack({sequence_of(id), to, text, payload})
  local length, bytes = redis.call('RPUSH', PAST, record), #record
  if length == 1 then
    redis.call('HSET', META, 'past', bytes)
  else
    bytes = redis.call('HINCRBY', META, 'past', bytes)
  end
  while length > MOST_PAST or bytes > PAST_BYTES and length > 1 do
    bytes = redis.call('HINCRBY', META, 'past', -#redis.call('LPOP', PAST))
    length = length - 1
  end
  redis.call('PEXPIRE', PAST, PAST_TIME)
end
