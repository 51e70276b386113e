-- Deletes those of the named tokens that exist and belong to the owner.
--
-- KEYS[1]    the clock
-- ARGV[1-9]  the log entry, see log.lua; each entry gets its own target, owner and token id
-- ARGV[10]   the owner, or empty for tokens of any owner
-- ARGV[11-]  the token ids, which may repeat
-- Reply      {'done', sequence number of the last entry, count, id, owner, id, owner, ...}
--
-- Invariant: all of the tokens are deleted in one atomic step, with one log entry each.
local owner, tokens, is_known = ARGV[10], {}, {}
for argument = 11, #ARGV do
  local id = ARGV[argument]
  local old = not is_known[id] and read(id, 'o')
  is_known[id] = true
  if old and (owner == '' or old[1] == owner) then
    tokens[#tokens + 1] = {id = id, owner = old[1]}
  end
end
if #tokens == 0 then
  return NOTHING
end
local deleted, seq = {}, nil
for _, each in ipairs(tokens) do
  seq = log(nil, each.owner, each.id)
  remove(each.owner, each.id)
  deleted[#deleted + 1], deleted[#deleted + 2] = each.id, each.owner
end
return finish(seq, #tokens, deleted)
