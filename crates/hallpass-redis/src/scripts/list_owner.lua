-- Reads the tokens of an owner.
--
-- KEYS[1]    the clock
-- ARGV[1]    the owner
-- ARGV[2]    the maximum number of tokens to read
-- Reply      {'done', sequence number, '', all ids, fields of the first tokens}
--
-- Invariant: the number, the ids and the tokens are from one snapshot.
local owner, limit = ARGV[1], tonumber(ARGV[2])
local ids, tokens = redis.call('ZRANGE', owned(owner), 0, -1), {}
for i = 1, math.min(#ids, limit) do
  tokens[i] = redis.call('HGETALL', token(ids[i]))
end
return {'done', seq, '', ids, tokens}
