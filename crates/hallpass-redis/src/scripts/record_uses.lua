-- Records uses. The arguments of each use are an id, a revision and a time.
local recorded = 0
for at = 1, #ARGV, 3 do
  local id, revision, time = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local found = redis.pcall('HMGET', token(id), 'r', 'u')
  if not found.err and found[1] == revision then
    local last = found[2] and tonumber(found[2])
    if not last or last < tonumber(time) then
      redis.call('HSET', token(id), 'u', time)
      recorded = recorded + 1
    end
  end
end
return {'done', string.format('%d', recorded)}
