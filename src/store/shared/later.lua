-- Ended jobs whose time is over.

-- Where the times begin that are still to come, as a bound of scores. An ended job with an earlier one is forgotten,
-- whether or not it has been taken out yet.
local LATER = '(' .. string.format('%.0f', NOW)
