-- Deletes the oldest log entries, up to the last entry of the batch that is old enough.
--
-- KEYS[1]    the clock
-- ARGV[1]    the time before which an entry is old enough, in milliseconds
-- ARGV[2]    the maximum number of entries
-- Reply      {'done', count}
--
-- Invariant: the log has no gap, even if a clock was wrong. The newest entry stays, because a follower
-- that is up to date compares its nonce.
local before, batch = tonumber(ARGV[1]), tonumber(ARGV[2])
local entries = redis.call('XRANGE', changes, '-', '+', 'COUNT', batch + 1)
-- The fields of each entry by name, and the number of entries to delete.
local fields, count = {}, 0
for at = 1, #entries - 1 do
  local names_and_values = entries[at][2]
  fields[at] = {}
  for i = 1, #names_and_values, 2 do
    fields[at][names_and_values[i]] = names_and_values[i + 1]
  end
  if (tonumber(fields[at].a) or 0) < before then
    count = at
  end
end
for at = 1, count do
  local number = sortable(string.match(entries[at][1], '^%d+'))
  redis.call('ZREM', log_of_owner(fields[at].o or ''), number)
  redis.call('ZREM', log_of_token(fields[at].i or ''), number)
end
if count > 0 then
  redis.call('XTRIM', changes, 'MINID', '=', entries[count + 1][1])
end
return {'done', string.format('%d', count)}
