local prefix = string.sub(KEYS[1], 1, -2)
local from, limit = ARGV[1], ARGV[2]
local seq = redis.call('GET', KEYS[1])
if not seq then
  return {'gone'}
end
local lines = {}
if from ~= '' and limit ~= '0' then
  lines = redis.call('XRANGE', prefix .. 'l', from .. '-0', '+', 'COUNT', limit)
end
local now = redis.call('TIME')
local millis = now[1] .. string.format('%03d', math.floor(tonumber(now[2]) / 1000))
return {'done', seq, redis.call('HGET', prefix .. 'm', 'nonce'), lines, millis}
