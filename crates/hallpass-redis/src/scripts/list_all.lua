-- Reads the ids of all tokens from a position on, by age. Replies with the clock, the next position and
-- the ids.
local seq = redis.call('GET', clock)
if not seq then
  return {'gone'}
end
local from, limit = ARGV[1], tonumber(ARGV[2])
local places = redis.call('ZRANGEBYLEX', by_age, from, '+', 'LIMIT', 0, limit)
local ids = {}
for at, place in ipairs(places) do
  ids[at] = string.sub(place, 8)
end
return {'done', seq, #places == limit and '(' .. places[limit] or '', ids, {}}
