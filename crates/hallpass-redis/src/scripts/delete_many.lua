-- The arguments are an owner, which may be empty, and the ids.
local owner, deleted, seen, seq = ARGV[10], {}, {}, nil
for at = 11, #ARGV do
  local id = ARGV[at]
  local old = not seen[id] and read(id, 'o')
  seen[id] = true
  if old and (owner == '' or old[1] == owner) then
    deleted[#deleted + 1] = {old[1], id}
  end
end
if #deleted == 0 then
  return NOTHING
end
local reply = {}
for _, found in ipairs(deleted) do
  seq = log(nil, found[1], found[2])
  remove(found[1], found[2])
  reply[#reply + 1], reply[#reply + 2] = found[2], found[1]
end
return done(seq, #deleted, reply)
