-- The tokens of an owner: the clock, the ids of all, and the first of the tokens. With ids, the
-- tokens of these, since the order of an owner's tokens may change between two steps.
local seq = redis.call('GET', clock)
if not seq then
  return {'gone'}
end
local owner, limit = ARGV[1], tonumber(ARGV[2])
local ids, tokens = {unpack(ARGV, 3)}, {}
if #ids == 0 then
  ids = redis.call('ZRANGE', owned(owner), 0, -1)
end
for at = 1, math.min(#ids, limit) do
  tokens[at] = redis.call('HGETALL', token(ids[at]))
end
return {'done', seq, '', ids, tokens}
