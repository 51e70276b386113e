-- Reads the tokens of an owner. Replies with the clock, all ids, and the first `limit` tokens.
local owner, limit = ARGV[1], tonumber(ARGV[2])
local ids, tokens = redis.call('ZRANGE', owned(owner), 0, -1), {}
for at = 1, math.min(#ids, limit) do
  tokens[at] = redis.call('HGETALL', token(ids[at]))
end
return {'done', seq, '', ids, tokens}
