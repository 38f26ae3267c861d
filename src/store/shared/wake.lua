-- Waking claims and readers that wait. They block on a list of tokens, never on jobs.

local MOST_TOKENS = 100

-- Wakes up to so many of them, where `waiting` (a field of meta) says that some may wait.
local function wake(waiting, number)
  if number > 0 and waiting and tonumber(waiting) > NOW then
    local tokens = {}
    for i = 1, math.min(number, MOST_TOKENS) do
      tokens[i] = 1
    end
    redis.call('RPUSH', WAKE, unpack(tokens))
    redis.call('LTRIM', WAKE, 0, MOST_TOKENS - 1)
    redis.call('PEXPIRE', WAKE, 10000)
  end
end
