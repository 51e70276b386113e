-- Replies with the clock and the token. A script is one atomic step, so both are from one snapshot.
return {'done', seq, redis.call('HGETALL', token(ARGV[1]))}
