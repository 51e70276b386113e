-- The second part of revoke_owner.lua and revoke_everyone.lua: revokes the tokens in `groups`.
--
-- Uses       `groups` (owners with their ids), `next_position` (the position after them),
--            `issued_before`, `revoked_at` and `limit`
-- Reply      {'done', sequence number, count, next position}; the number is empty if no token was
--            revoked, and the position is empty if no token is left
--
-- Invariant: one log entry stands for all tokens. If the limit is reached within an owner's tokens, the
-- next call starts at that owner again.
local revoked, affected_owners = {}, {}
for _, group in ipairs(groups) do
  local same_owner = '[' .. group.owner
  for _, id in ipairs(group.ids) do
    local fields = fields_of(id, unpack(REVOCATION))
    if is_to_be_revoked(fields, issued_before) then
      if #revoked == limit then
        next_position = same_owner
        break
      end
      revoked[#revoked + 1] = {id = id, fields = fields}
      affected_owners[fields[1]] = true
    end
  end
  if next_position == same_owner then
    break
  end
end
if #revoked == 0 then
  return {'done', '', '0', next_position}
end
local seq = log(#revoked)
for _, each in ipairs(revoked) do
  revoke(each.id, each.fields, revoked_at)
end
for owner in pairs(affected_owners) do
  note_first_end(owner)
end
return finish(seq, #revoked, {next_position})
