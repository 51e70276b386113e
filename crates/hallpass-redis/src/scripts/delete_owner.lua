local owner = ARGV[10]
local ids = redis.call('ZRANGE', owned(owner), 0, -1)
if #ids == 0 then
  return NOTHING
end
local seq = log(#ids)
for _, id in ipairs(ids) do
  local created_at = fields_of(id, 'c')[1]
  redis.call('DEL', token(id))
  if tonumber(created_at or '') then
    redis.call('ZREM', by_age, place(created_at, id))
  end
end
redis.call('DEL', owned(owner))
redis.call('ZREM', by_first_end, owner)
return done(seq, #ids)
