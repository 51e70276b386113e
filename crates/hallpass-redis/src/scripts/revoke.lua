-- Revokes the tokens in `found`, owner by owner. The reply also contains the position after them, at which
-- the next call continues. It is empty if no token is left.
local revoked, affected = {}, {}
for _, owned_ids in ipairs(found) do
  local owner = owned_ids[1]
  for _, id in ipairs(owned_ids[2]) do
    local fields = fields_of(id, unpack(REVOCATION))
    if is_to_be_revoked(fields, issued_before) then
      if #revoked == limit then
        last = '[' .. owner
        break
      end
      revoked[#revoked + 1] = {id, fields}
      affected[fields[1]] = true
    end
  end
  if last == '[' .. owner then
    break
  end
end
if #revoked == 0 then
  return {'done', '', '0', last}
end
local seq = log(#revoked)
for _, token in ipairs(revoked) do
  revoke(token[1], token[2], at)
end
for owner in pairs(affected) do
  note_first_end(owner)
end
return done(seq, #revoked, {last})
