-- Reads the ids of all tokens from a position on, owner by owner.
--
-- KEYS[1]    the clock
-- ARGV[1]    the position: `-` at first, then the position of the reply before
-- ARGV[2]    the number of ids after which no further owner is read
-- Reply      {'done', sequence number, next position, ids, {}}; the position is empty after the last
--            owner
--
-- Invariant: an owner's ids are never split between two replies, see `tokens_from`.
local groups, next_position = tokens_from(ARGV[1], tonumber(ARGV[2]))
local ids = {}
for _, group in ipairs(groups) do
  for _, id in ipairs(group.ids) do
    ids[#ids + 1] = id
  end
end
return {'done', seq, next_position, ids, {}}
