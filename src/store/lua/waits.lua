-- How long jobs were ready before they were claimed.

-- The fields of META that count claimed jobs: each job in one, in the first whose time (s) is not shorter than its wait. So the one
-- command that counts a claim says how long its job waited, too. `processed` has those that older versions have claimed.
local CLAIMED = {'processed', 'waited-0.01', 'waited-0.1', 'waited-0.5', 'waited-1', 'waited-5', 'waited-30', 'waited-60',
  'waited-300', 'waited-900', 'waited-3600', 'waited-21600', 'waited-86400', 'waited-longer'}

-- The field that counts a job which was ready for so long (ms). No table, which each run would make anew.
local function waited_field(wait)
  return wait <= 10 and 'waited-0.01' or wait <= 100 and 'waited-0.1' or wait <= 500 and 'waited-0.5'
    or wait <= 1000 and 'waited-1' or wait <= 5000 and 'waited-5' or wait <= 30000 and 'waited-30'
    or wait <= 60000 and 'waited-60' or wait <= 300000 and 'waited-300' or wait <= 900000 and 'waited-900'
    or wait <= 3600000 and 'waited-3600' or wait <= 21600000 and 'waited-21600' or wait <= 86400000 and 'waited-86400'
    or 'waited-longer'
end

-- How many jobs were claimed: the sum of the values of CLAIMED, which begin at a place of a list. Nil before the first.
local function sum_of_claimed(values, first)
  local sum = nil
  for i = first, first + #CLAIMED - 1 do
    if values[i] then
      sum = (sum or 0) + values[i]
    end
  end
  return sum
end
