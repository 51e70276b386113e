local nonce, id, expected = unpack(ARGV)
local no = refused(nonce)
if no then
  return no
end
local value = redis.call('GET', token(id))
if not value then
  return {'missing'}
end
local record = read(id, value)
if expected ~= '' and record.revision ~= expected then
  return {'conflict'}
end
local seq, damaged = log(nonce, 't' .. id)
if damaged then
  return damaged
end
remove(record)
return {'done', seq}
