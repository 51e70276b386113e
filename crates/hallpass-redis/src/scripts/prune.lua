-- Deletes tokens that ended before a time.
--
-- KEYS[1]    the clock
-- ARGV[1-9]  the log entry, see log.lua; the count is replaced
-- ARGV[10]   the time, in milliseconds
-- ARGV[11]   the maximum number of tokens
-- Reply      {'done', sequence number, count}; the number is empty if there are no such tokens
--
-- Invariant: a token is found and deleted in one atomic step, so a token that was extended is kept.
local before, limit = '(' .. ARGV[10], tonumber(ARGV[11])
local ended = {}
for _, owner in ipairs(redis.call('ZRANGEBYSCORE', by_first_end, '-inf', before, 'LIMIT', 0, limit)) do
  local left = limit - #ended
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', owned(owner), '-inf', before, 'LIMIT', 0, left)) do
    ended[#ended + 1] = {owner = owner, id = id}
  end
end
if #ended == 0 then
  return NOTHING
end
local seq = log(#ended)
for _, each in ipairs(ended) do
  remove(each.owner, each.id)
end
return finish(seq, #ended)
