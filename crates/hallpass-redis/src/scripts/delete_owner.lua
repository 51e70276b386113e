local nonce, owner = unpack(ARGV)
local no = refused(nonce)
if no then
  return no
end
local found = {}
for _, id in ipairs(redis.call('ZRANGE', owned(owner), 0, -1)) do
  local value = redis.call('GET', token(id))
  if value then
    found[#found + 1] = read(id, value)
  end
end
if #found == 0 then
  return {'done', '', '0'}
end
local seq, damaged = log(nonce, 'o' .. owner, #found)
if damaged then
  return damaged
end
for _, record in ipairs(found) do
  remove(record)
end
return {'done', seq, string.format('%d', #found)}
