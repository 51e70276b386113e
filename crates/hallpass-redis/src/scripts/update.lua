-- Writes fields of a token if one of its fields has the expected value.
--
-- KEYS[1]    the clock
-- ARGV[1-9]  the log entry, see log.lua
-- ARGV[10]   the token id
-- ARGV[11]   the name of the field to compare: `r` (revision) or `k` (digest)
-- ARGV[12]   its expected value
-- ARGV[13-]  the fields to write: names and values in turn; an empty value removes the field
-- Reply      {'done', sequence number, '1'}, {'missing'} or {'conflict'}
--
-- Invariant: the field is compared in the atomic step that writes the others.
local id, field, expected = ARGV[10], ARGV[11], ARGV[12]
local old = read(id, field, 'o')
if not old then
  return {'missing'}
end
local current, owner = unpack(old)
if current ~= expected then
  return {'conflict'}
end
local seq = log()
write(id, 13)
set_end(owner, id, unpack(redis.call('HMGET', token(id), 'e', 'x')))
note_first_end(owner)
return finish(seq, 1)
