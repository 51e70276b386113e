local nonce, owner, now = unpack(ARGV)
local no = refused(nonce)
if no then
  return no
end

-- The revision after this one, as eight bytes.
local function after(revision)
  for at = 8, 1, -1 do
    local byte = string.byte(revision, at)
    if byte < 255 then
      return string.sub(revision, 1, at - 1) .. string.char(byte + 1) .. string.rep('\0', 8 - at)
    end
  end
  return revision
end

local found = {}
for _, id in ipairs(redis.call('ZRANGE', owned(owner), 0, -1)) do
  local value = redis.call('GET', token(id))
  if value then
    -- One that cannot be read is accepted by nobody, and keeps none of the others from being revoked.
    local is_whole, record = pcall(read, id, value)
    if is_whole and record.revoked == '' then
      found[#found + 1] = record
    end
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
  record.flags, record.revoked = record.flags + REVOKED, now
  record.revision = after(record.revision)
  write(record)
  note_end(chunk_of(record.place), number(now))
end
return {'done', seq, string.format('%d', #found)}
