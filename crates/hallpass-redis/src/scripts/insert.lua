-- Inserts a token.
--
-- KEYS[1]    the clock
-- ARGV[1-9]  the log entry, see log.lua
-- ARGV[10]   the token id
-- ARGV[11]   the maximum number of the owner's tokens, or empty for no limit
-- ARGV[12]   the owner
-- ARGV[13-]  the fields of the token: names and values in turn
-- Reply      {'done', sequence number, '1'}, {'duplicate'}, or {'limit', current number of tokens}
--
-- Invariant: the limit is checked in the atomic step that inserts the token, so concurrent inserts
-- cannot exceed it.
local id, limit, owner = ARGV[10], ARGV[11], ARGV[12]
if redis.call('EXISTS', token(id)) == 1 then
  return {'duplicate'}
end
local in_use = redis.call('ZCARD', owned(owner))
if limit ~= '' and in_use >= tonumber(limit) then
  return {'limit', string.format('%d', in_use)}
end
local seq = log()
local fields = write(id, 13)
redis.call('ZADD', owners, 0, owner)
local ends = set_end(owner, id, fields.e, fields.x)
if ends then
  redis.call('ZADD', by_first_end, 'LT', ends, owner)
end
return finish(seq, 1)
