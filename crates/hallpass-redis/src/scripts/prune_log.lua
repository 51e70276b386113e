-- Removes the oldest entries, up to the last one of the batch that is old enough. So there is no gap,
-- even if a clock was wrong. The newest entry stays, because a follower that is up to date compares its
-- nonce.
local before, batch = tonumber(ARGV[1]), tonumber(ARGV[2])
local entries, last = redis.call('XRANGE', changes, '-', '+', 'COUNT', batch + 1), 0
local removed = {}
for at = 1, #entries - 1 do
  local fields = {}
  for n = 1, #entries[at][2], 2 do
    fields[entries[at][2][n]] = entries[at][2][n + 1]
  end
  removed[at] = fields
  if (tonumber(fields.a) or 0) < before then
    last = at
  end
end
for at = 1, last do
  local member = sortable(string.match(entries[at][1], '^%d+'))
  redis.call('ZREM', log_of_owner(removed[at].o or ''), member)
  redis.call('ZREM', log_of_token(removed[at].i or ''), member)
end
if last > 0 then
  redis.call('XTRIM', changes, 'MINID', '=', entries[last + 1][1])
end
return {'done', string.format('%d', last)}
