-- The readers of a queue: those who stay, and are sent its jobs as they come.
--
--   READERS  a sorted set: readers, by when they count as gone (ms) unless they say again that they are there
--   MAIL     a sorted set, all scores 0: what is to be sent to each reader. An entry is the reader, its place, the receipt.
--            A job in the mail is active, under a lease that its reader extends: nobody else gets it meanwhile, and
--            should the reader and all others be gone, it comes back like any other job.
--   PAST     a list: what was sent, see past.lua

local READERS, MAIL, PAST = unpack(KEYS, 19, 21)
