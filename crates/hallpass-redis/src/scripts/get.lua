-- Replies with the clock and the token. A script is one atomic step, so both are from one snapshot.
local seq = redis.call('GET', clock)
if not seq then
  return {'gone'}
end
return {'done', seq, redis.call('HGETALL', token(ARGV[1]))}
