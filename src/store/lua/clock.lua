-- The server's clock, in milliseconds. It stands still while a script runs.

local TIME = redis.call('TIME')
local NOW = TIME[1] * 1000 + (TIME[2] - TIME[2] % 1000) / 1000

-- The lower bound of all scores that are times still to come.
local AFTER_NOW = '(' .. string.format('%.0f', NOW)
