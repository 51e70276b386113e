-- The owner, or nothing, and then a nonce and an id for each.
local owner = ARGV[1]
local no = refused(ARGV[2])
if no then
  return no
end
local found, seen = {}, {}
for at = 2, #ARGV, 2 do
  local nonce, id = ARGV[at], ARGV[at + 1]
  local value = not seen[id] and redis.call('GET', token(id))
  seen[id] = true
  if value then
    local record = read(id, value)
    if owner == '' or record.owner == owner then
      record.nonce = nonce
      found[#found + 1] = record
    end
  end
end
local answer = {'done', ''}
for _, record in ipairs(found) do
  -- With its owner: if the answer is lost, this is where it is found again.
  local seq, damaged = log(record.nonce, 't' .. record.id .. record.owner)
  if damaged then
    return damaged
  end
  remove(record)
  answer[2] = seq
  answer[#answer + 1] = record.id
  answer[#answer + 1] = record.owner
end
return answer
