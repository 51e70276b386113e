-- Reads the ids of all tokens from a position on, owner by owner. Replies with the clock, the next position
-- and the ids.
local found, next_position = tokens_from(ARGV[1], tonumber(ARGV[2]))
local ids = {}
for _, owned_ids in ipairs(found) do
  for _, id in ipairs(owned_ids[2]) do
    ids[#ids + 1] = id
  end
end
return {'done', seq, next_position, ids, {}}
