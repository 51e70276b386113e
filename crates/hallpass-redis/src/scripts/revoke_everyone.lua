-- Revokes tokens from a position on. The reply also contains the next position, which is empty at the
-- end.
local issued_before, at, limit, from, step = ARGV[10], ARGV[11], tonumber(ARGV[12]), ARGV[13], tonumber(ARGV[14])
local places = redis.call('ZRANGEBYLEX', by_age, from, '+', 'LIMIT', 0, step)
local revoked, owners = {}, {}
local last = #places == step and '(' .. places[step] or ''
for _, place in ipairs(places) do
  local id = string.sub(place, 8)
  local found = fields_of(id, unpack(REVOCATION))
  if is_to_be_revoked(found, issued_before) then
    if #revoked == limit then
      last = '[' .. place
      break
    end
    revoked[#revoked + 1] = {id, found}
    owners[found[1]] = true
  end
end
if #revoked == 0 then
  return {'done', '', '0', last}
end
local seq = log(#revoked)
for _, token in ipairs(revoked) do
  revoke(token[1], token[2], at)
end
for owner in pairs(owners) do
  note_first_end(owner)
end
return done(seq, #revoked, {last})
