local id, expected = ARGV[10], ARGV[11]
local old = read(id, 'r')
if not old then
  return {'missing'}
end
if old[1] ~= expected then
  return {'conflict'}
end
local seq = log()
write(id, 12)
index(id)
return done(seq, 1)
