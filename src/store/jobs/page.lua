-- Lists the jobs of one state, a page at a time.
--
-- ARGV  1 state
--       2 how many at most
--       3 score and 4 id of the last job of the page before, empty for the first page
--       5 '1' for the payloads too
--       6 max_bytes: the page ends before the payloads that were read exceed so many bytes; it has one job at least
-- Reply 1 whether there are more after these: 1 or 0
--       then for each job its fields, see add_job; with an empty payload unless it is asked for
--
-- @keys JOBS
-- @include clock, job, ready

local state, max_jobs, last_score, last_id = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local has_payload, max_bytes = ARGV[5] == '1', tonumber(ARGV[6])
local state_key = STATES[state]
if state == 'ready' then
  promote(1000)
end

-- Scheduled jobs that are due count as ready, and ended ones whose retention is over as forgotten.
local hidden = 0
if state ~= 'ready' and state ~= 'active' then
  hidden = redis.call('ZCOUNT', state_key, '-inf', NOW)
end
local from = hidden
if last_id ~= '' then
  -- The last job may have left the state: then the page begins where it was.
  local is_there = tonumber(redis.call('ZSCORE', state_key, last_id) or nil) == tonumber(last_score)
  local rank = is_there and redis.call('ZRANK', state_key, last_id)
  from = math.max(hidden, rank and rank + 1 or redis.call('ZCOUNT', state_key, '-inf', '(' .. last_score))
end

local ids = redis.call('ZRANGE', state_key, from, from + max_jobs, 'WITHSCORES')
local reply = {#ids > 2 * max_jobs and 1 or 0}
for i = 1, math.min(#ids, 2 * max_jobs), 2 do
  local packed, payload = decode(redis.call('HGET', JOBS, ids[i]))
  max_bytes = max_bytes - #payload
  if max_bytes < 0 and i > 1 then
    reply[1] = 1
    break
  end
  add_job(reply, ids[i], state, tonumber(ids[i + 1]), packed, has_payload and payload or '')
end
return reply
