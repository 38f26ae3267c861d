-- Filters: which jobs a request is about.
--
-- @keys
-- @include clock, execution, job, walk

-- A filter has these fields, each only where it is given. A job matches when it meets all of them:
--   text           texts in lower case: the payload contains one of them, upper case or lower
--   error          the same of the last error
--   group, reason  the group of the last error, see `group_of`; why the job is dead
--   unique         its unique key
--   metadata       a JSON object: the job's metadata has each of its members, with the same value
--   older_than, newer_than   how long ago it was inserted (ms)
local function unpack_filter(packed)
  local filter = packed == '' and {} or cmsgpack.unpack(packed)
  if filter.metadata then
    filter.metadata = cjson.decode(filter.metadata)
  end
  return filter
end

-- The first bytes of a text, without a part of a character at their end.
local function first_of(text, max_bytes)
  if #text <= max_bytes then
    return text
  end
  return (string.gsub(string.sub(text, 1, max_bytes), '[\192-\255][\128-\191]*$', ''))
end

-- How much of an error tells its group.
local MAX_GROUP = 200

-- The group of an error: the first line of its text without what differs from job to job, which is numbers, identifiers, and what
-- stands in quotes.
local function group_of(text)
  local line = first_of(string.match(text, '^[^\n]*'), MAX_GROUP)
  line = string.gsub(line, '"[^"]*"', '""')
  line = string.gsub(line, '%f[%w]%x%x%x%x%x%x%x%x[%x-]*%f[%W]', '#')
  return (string.gsub(line, '%d+', '#'))
end

-- The last error of a job, empty when there is none.
local function last_error_of(execution)
  local errors = execution.errors or {}
  return errors[#errors] and errors[#errors].text or ''
end

local function contains(text, wanted)
  text = string.lower(text)
  for _, one in ipairs(wanted) do
    if string.find(text, one, 1, true) then
      return true
    end
  end
  return false
end

local function has_members(metadata, wanted)
  local is_json, members = pcall(cjson.decode, metadata or '')
  if not is_json or type(members) ~= 'table' then
    return false
  end
  for name, value in pairs(wanted) do
    if members[name] ~= value then
      return false
    end
  end
  return true
end

local function options_match(filter, options)
  return (not filter.unique or options.unique == filter.unique)
    and (not filter.metadata or has_members(options.metadata, filter.metadata))
end

local function execution_matches(filter, execution)
  return (not filter.reason or execution.reason == filter.reason)
    and (not filter.group or group_of(last_error_of(execution)) == filter.group)
    and (not filter.error or contains(last_error_of(execution), filter.error))
end

-- Whether a job matches, as a walk visits it.
local function matches(filter, job)
  local age = NOW - inserted_of(job.id)
  if filter.older_than and age < filter.older_than or filter.newer_than and age >= filter.newer_than then
    return false
  elseif (filter.reason or filter.group or filter.error)
    and not execution_matches(filter, unpack_execution(packed_execution_of(job))) then
    return false
  end
  if filter.unique or filter.metadata or filter.text then
    load_record(job)
  end
  return (not (filter.unique or filter.metadata) or options_match(filter, unpack_options(job.packed)))
    and (not filter.text or contains(job.payload, filter.text))
end
