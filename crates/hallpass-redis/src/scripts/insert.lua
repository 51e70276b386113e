local id, limit = ARGV[10], ARGV[11]
local owner = ARGV[12]
if redis.call('EXISTS', token(id)) == 1 then
  return {'duplicate'}
end
local in_use = redis.call('ZCARD', owned(owner))
if limit ~= '' and in_use >= tonumber(limit) then
  return {'limit', string.format('%d', in_use)}
end
local seq = log()
write(id, 13)
index(id)
return done(seq, 1)
