-- Groups dead jobs by the error that they died of, some at a time, the newest first.
--
-- ARGV  1 how many jobs are looked at
--       2 position and 3 id of the last job that the call before looked at, empty for the first call
-- Reply 1 how many jobs were looked at
--       2 how many are left to be looked at
--       3 position and 4 id of the last job that was looked at
--       then for each group, that of the newest job first
--         why its jobs are dead, and what their errors have in common
--         how many there are
--         the newest: its id, when it died (ms), and the first of its error
--         when the oldest died (ms)
--
-- @promises nothing
-- @keys META
-- @include execution, filter, orphan, partition, walk

-- How much of an error is told.
local MAX_ERROR = 1000

local groups, reply = {}, {}
local looked_at, left, position, id = walk('dead', true, ARGV[2], ARGV[3], tonumber(ARGV[1]), math.huge, 100, function(job)
  local execution = unpack_execution(packed_execution_of(job))
  local text, reason = last_error_of(execution), execution.reason or ''
  local name = reason .. ':' .. group_of(text)
  if not groups[name] then
    groups[name] = #reply + 1
    for _, value in ipairs({reason, group_of(text), 0, job.id, execution.ended or 0, first_of(text, MAX_ERROR), 0}) do
      reply[#reply + 1] = value
    end
  end
  local at = groups[name]
  reply[at + 2], reply[at + 6] = reply[at + 2] + 1, execution.ended or 0
end)
local settings = redis.call('HGET', META, 'settings')
return tell_layout(settings, tell_orphans({looked_at, left, position, id, unpack(reply)}))
