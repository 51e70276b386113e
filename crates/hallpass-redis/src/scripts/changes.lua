-- Reads log entries from a number on.
--
-- KEYS[1]    the clock
-- ARGV[1]    the number of the first entry to read, or empty for none
-- ARGV[2]    the maximum number of entries
-- Reply      {'done', newest number, nonce of the newest entry, entries, time in milliseconds}
--
-- Invariant: the newest number and the entries are from one snapshot. So a reader that received fewer
-- entries than the maximum has all entries up to the newest number.
local from, limit = ARGV[1], ARGV[2]
local entries = {}
if from ~= '' and limit ~= '0' then
  entries = redis.call('XRANGE', changes, from .. '-0', '+', 'COUNT', limit)
end
local now = redis.call('TIME')
local millis = now[1] .. string.format('%03d', math.floor(tonumber(now[2]) / 1000))
return {'done', seq, redis.call('HGET', meta, 'nonce'), entries, millis}
