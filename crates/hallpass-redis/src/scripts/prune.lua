local before, limit = '(' .. ARGV[10], tonumber(ARGV[11])
local ended = {}
for _, owner in ipairs(redis.call('ZRANGEBYSCORE', by_first_end, '-inf', before, 'LIMIT', 0, limit)) do
  local left = limit - #ended
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', owned(owner), '-inf', before, 'LIMIT', 0, left)) do
    ended[#ended + 1] = {owner, id}
  end
end
if #ended == 0 then
  return NOTHING
end
local seq = log(#ended)
for _, token in ipairs(ended) do
  remove(token[1], token[2])
end
return done(seq, #ended)
