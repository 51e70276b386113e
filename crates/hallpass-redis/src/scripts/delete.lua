-- Deletes a token.
--
-- KEYS[1]    the clock
-- ARGV[1-9]  the log entry, see log.lua
-- ARGV[10]   the token id
-- ARGV[11]   the expected revision, or empty for any
-- Reply      {'done', sequence number, '1'}, {'missing'} or {'conflict'}
--
-- Invariant: the revision is compared in the atomic step that deletes the token.
local id, expected = ARGV[10], ARGV[11]
local old = read(id, 'r', 'o')
if not old then
  return {'missing'}
end
local revision, owner = unpack(old)
if expected ~= '' and revision ~= expected then
  return {'conflict'}
end
local seq = log()
remove(owner, id)
return finish(seq, 1)
