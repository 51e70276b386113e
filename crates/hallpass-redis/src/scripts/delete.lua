local id, expected = ARGV[10], ARGV[11]
local old = read(id, 'r', 'o')
if not old then
  return {'missing'}
end
if expected ~= '' and old[1] ~= expected then
  return {'conflict'}
end
local seq = log()
remove(old[2], id)
return done(seq, 1)
