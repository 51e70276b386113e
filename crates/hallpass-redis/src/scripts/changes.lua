-- Reads the log from a number on. Replies with the newest number, its nonce, the entries, and the time.
local from, limit = ARGV[1], ARGV[2]
local entries = {}
if from ~= '' and limit ~= '0' then
  entries = redis.call('XRANGE', changes, from .. '-0', '+', 'COUNT', limit)
end
local now = redis.call('TIME')
local millis = now[1] .. string.format('%03d', math.floor(tonumber(now[2]) / 1000))
return {'done', seq, redis.call('HGET', meta, 'nonce'), entries, millis}
