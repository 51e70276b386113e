-- Records uses of tokens.
--
-- KEYS[1]    the clock
-- ARGV       an id, a revision and a time in milliseconds for each use, in turn
-- Reply      {'done', number of recorded uses}
--
-- Invariant: a use counts only for the revision that was used, and the last use never moves back.
local recorded = 0
for argument = 1, #ARGV, 3 do
  local id, revision, time = ARGV[argument], ARGV[argument + 1], ARGV[argument + 2]
  local fields = redis.pcall('HMGET', token(id), 'r', 'u')
  if not fields.err and fields[1] == revision then
    local last = fields[2] and tonumber(fields[2])
    if not last or last < tonumber(time) then
      redis.call('HSET', token(id), 'u', time)
      recorded = recorded + 1
    end
  end
end
return {'done', string.format('%d', recorded)}
