-- Jobs that hold a unique key and can never be handed out again.
--
-- @keys META, ACTIVE, READY, SCHEDULED
-- @include clock, ending, execution, job, lease, orphan, queue, unique_key

-- Ends such a job: it has expired, its last lease has ended, or its record is gone. `packed` are its options, nil when the
-- record is gone. Returns whether the key is free.
-- @rare
local function end_holder(key, holder, packed, packed_settings)
  local state = state_of(holder)
  if not (state and packed) then
    if state or packed then
      drop_orphan(STATES[state or 'ready'], holder)
    end
    release_unique_key(holder, key)
    return true
  end
  local options, execution, settings = unpack_options(packed), load_execution(holder), settings_of(packed_settings)
  local is_expired = has_expired(holder, options, execution)
  if state == 'active' then
    local distribution = execution.distribution
    local is_last = distribution and distribution.sent
      or not distribution and is_out_of_leases(execution.lost_leases + 1, settings)
    if is_expired or is_last then
      recover({holder}, settings, redis.call('HGET', META, 'period'))
      execution = load_execution(holder)
    end
  end
  if is_expired and redis.call('ZREM', READY, holder) + redis.call('ZREM', SCHEDULED, holder) > 0 then
    bury(holder, options, execution, settings, 'expired')
  end
  return not holder_of(key)
end

-- Frees a unique key if the job that holds it can never be handed out again, which ends that job; also on a paused queue.
-- `until_` is until when it holds the key, nil where that has no time. Takes the field `settings` of META. Returns whether
-- the key is free.
local function free_unique_key(key, holder, until_, packed_settings)
  local lease_end = redis.call('ZSCORE', ACTIVE, holder)
  if until_ or lease_end and tonumber(lease_end) > NOW then
    -- A key that is held for a time is held whatever happens to the job.
    return false
  end
  local packed = read_record(holder)
  if packed and not lease_end and not unpack_options(packed).expires and redis.call('ZSCORE', READY, holder) then
    return false
  end
  return end_holder(key, holder, packed, packed_settings)
end
