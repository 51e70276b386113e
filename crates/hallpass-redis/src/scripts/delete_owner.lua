local nonce, owner = unpack(ARGV)
local no = refused(nonce)
if no then
  return no
end
local found, damaged_ids = {}, {}
for _, id in ipairs(redis.call('ZRANGE', owned(owner), 0, -1)) do
  local value = redis.call('GET', token(id))
  if value then
    local is_whole, record = pcall(read, id, value)
    if is_whole then
      found[#found + 1] = record
    else
      damaged_ids[#damaged_ids + 1] = id
    end
  end
end
local count = #found + #damaged_ids
if count == 0 then
  return {'done', '', '0'}
end
local seq, damaged = log(nonce, 'o' .. owner, count)
if damaged then
  return damaged
end
for _, record in ipairs(found) do
  remove(record)
end
for _, id in ipairs(damaged_ids) do
  -- Nobody knows its place in the index: prune finds that there is nothing.
  redis.call('DEL', token(id))
  redis.call('ZREM', owned(owner), id)
  redis.call('HINCRBY', meta, 'total', -1)
end
return {'done', seq, string.format('%d', count)}
