local id, expected = ARGV[10], ARGV[11]
local old = read(id, 'k')
if not old then
  return {'missing'}
end
if old[1] ~= expected then
  return {'conflict'}
end
local seq = log()
write(id, 12)
return done(seq, 1)
