local owner, issued_before, at = ARGV[10], ARGV[11], ARGV[12]
local revoked = {}
for _, id in ipairs(redis.call('ZRANGE', owned(owner), 0, -1)) do
  local found = fields_of(id, unpack(REVOCATION))
  if is_to_be_revoked(found, issued_before) then
    revoked[#revoked + 1] = {id, found}
  end
end
if #revoked == 0 then
  return NOTHING
end
local seq = log(#revoked)
for _, token in ipairs(revoked) do
  revoke(token[1], token[2], at)
end
note_first_end(owner)
return done(seq, #revoked)
