-- The clock and the token, in one snapshot.
local seq = redis.call('GET', clock)
if not seq then
  return {'gone'}
end
return {'done', seq, redis.call('HGETALL', token(ARGV[1]))}
