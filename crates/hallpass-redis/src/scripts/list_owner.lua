-- An owner's tokens behind an id.
local prefix = string.sub(KEYS[1], 1, -2)
local owner, after, limit = unpack(ARGV)
if redis.call('EXISTS', KEYS[1]) == 0 then
  return {'gone'}
end
local ids = redis.call('ZRANGEBYLEX', prefix .. 'o' .. owner, after, '+', 'LIMIT', 0, limit)
local keys = {}
for at, id in ipairs(ids) do
  keys[at] = prefix .. 't' .. id
end
-- Where to go on, if this is not all.
local cursor = #ids == tonumber(limit) and '(' .. ids[#ids] or ''
return {'done', '', cursor, ids, #keys > 0 and redis.call('MGET', unpack(keys)) or {}}
