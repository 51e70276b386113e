-- Reads a token.
--
-- KEYS[1]    the clock
-- ARGV[1]    the token id
-- Reply      {'done', sequence number, fields}; the fields are empty if the token does not exist
--
-- Invariant: the number and the token are from one snapshot, because a script is one atomic step.
return {'done', seq, redis.call('HGETALL', token(ARGV[1]))}
