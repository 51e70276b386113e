-- Deletes all tokens of an owner.
--
-- KEYS[1]    the clock
-- ARGV[1-9]  the log entry, see log.lua; the count is replaced
-- ARGV[10]   the owner
-- Reply      {'done', sequence number, count}; the number is empty if there are no tokens
--
-- Invariant: one log entry with the owner as its target stands for all tokens.
local owner = ARGV[10]
local ids = redis.call('ZRANGE', owned(owner), 0, -1)
if #ids == 0 then
  return NOTHING
end
local seq = log(#ids)
for _, id in ipairs(ids) do
  redis.call('DEL', token(id))
end
redis.call('DEL', owned(owner))
redis.call('ZREM', owners, owner)
redis.call('ZREM', by_first_end, owner)
return finish(seq, #ids)
