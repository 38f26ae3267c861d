-- Lists the jobs of one state, a page at a time.
--
-- ARGV  1 state
--       2 how many at most
--       3 score and 4 id of the last job of the page before, empty for the first page
--       5 '1' for the payloads too
--       6 max_bytes: the page ends before the payloads that were read exceed so many bytes; it has one job at least
-- Reply 1 whether there are more after these: 1 or 0
--       then for each job its fields, see add_job; with an empty payload unless it is asked for. None although there are
--       more: many orphans were dropped, and the same call goes on behind them
--
-- @keys META, JOBS
-- @include batch, clock, job, orphan, ready, sweep

local state, max_jobs, last_score, last_id = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local has_payload, max_bytes = ARGV[5] == '1', tonumber(ARGV[6])
local state_key = STATES[state]
local status, sweep_at, settings = unpack(redis.call('HMGET', META, 'status', 'sweep-at', 'settings'))
if status then
  sweep_when_due(sweep_at, settings)
end
if state == 'ready' then
  let_in(1000)
end

-- Scheduled jobs that are due count as ready, and ended ones whose retention is over as forgotten.
local hidden = 0
if state ~= 'ready' and state ~= 'active' then
  hidden = redis.call('ZCOUNT', state_key, '-inf', NOW)
end
local from = hidden
if last_id ~= '' then
  if state == 'ready' then
    expand(last_id)
  end
  -- The last job may have left the state: then the page begins where it was.
  local is_there = tonumber(redis.call('ZSCORE', state_key, last_id) or nil) == tonumber(last_score)
  local rank = is_there and redis.call('ZRANK', state_key, last_id)
  from = math.max(hidden, rank and rank + 1 or redis.call('ZCOUNT', state_key, '-inf', '(' .. last_score))
end

-- How many orphans are dropped in one call. When it meets more, the page ends with them, and may have no job though there are
-- more.
local MAX_DROPPED = 1000

local reply, listed, dropped = {0}, 0, 0
local has_more, is_last
repeat
  -- One more than are wanted tells whether there are more. Orphans are dropped, so the others move up.
  local limit = max_jobs - listed + 1
  local members = redis.call('ZRANGE', state_key, from + listed, from + listed + limit - 1, 'WITHSCORES')
  is_last = #members < 2 * limit
  for i = 1, #members, 2 do
    local id, packed, payload = id_in(members[i]), '', payload_in(members[i])
    if listed < max_jobs then
      if not payload then
        packed, payload = read_record(id)
      end
      max_bytes = max_bytes - #(payload or '')
    end
    if not packed then
      drop_orphan(state_key, id)
      dropped = dropped + 1
    elseif listed == max_jobs or max_bytes < 0 and listed > 0 then
      has_more = true
      break
    else
      local execution = redis.call('HGET', JOBS, execution_field(id))
      add_job(reply, id, state, tonumber(members[i + 1]), execution, packed, has_payload and payload or '')
      listed = listed + 1
    end
  end
until has_more or is_last or dropped >= MAX_DROPPED
reply[1] = (has_more or not is_last) and 1 or 0
return tell_orphans(reply)
