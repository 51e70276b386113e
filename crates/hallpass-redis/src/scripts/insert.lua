local nonce, id, value, owner, limit, place, at = unpack(ARGV)
local no = refused(nonce)
if no then
  return no
end
if redis.call('EXISTS', token(id)) == 1 then
  return {'duplicate'}
end
local in_use = redis.call('ZCARD', owned(owner))
if limit ~= '' and in_use >= tonumber(limit) then
  return {'limit', string.format('%d', in_use)}
end
local seq, damaged = log(nonce, 't' .. id)
if damaged then
  return damaged
end
redis.call('SET', token(id), value)
redis.call('ZADD', owned(owner), 0, id)
index(place, tonumber(at))
redis.call('HINCRBY', meta, 'total', 1)
return {'done', seq}
