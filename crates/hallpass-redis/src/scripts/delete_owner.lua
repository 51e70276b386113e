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
return done(seq, #ids)
