local nonce, id, expected, current, previous = unpack(ARGV)
local no = refused(nonce)
if no then
  return no
end
local value = redis.call('GET', token(id))
if not value then
  return {'missing'}
end
local record = read(id, value)
if record.current ~= expected then
  return {'conflict'}
end
local seq, damaged = log(nonce, 't' .. id)
if damaged then
  return damaged
end
record.current, record.previous = current, previous
record.flags = bit.band(record.flags, bit.bnot(PREVIOUS)) + (previous ~= '' and PREVIOUS or 0)
write(record)
return {'done', seq}
