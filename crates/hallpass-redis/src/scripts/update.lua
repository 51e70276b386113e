-- Writes fields of a token if one of its fields has the expected value.
local id, field, expected = ARGV[10], ARGV[11], ARGV[12]
local old = read(id, field, 'o')
if not old then
  return {'missing'}
end
if old[1] ~= expected then
  return {'conflict'}
end
local seq = log()
write(id, 13)
index(id)
return done(seq, 1)
