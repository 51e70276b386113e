-- Lets the oldest lines go, from the first on and without a gap, whatever the clock did when they were written. At least the
-- last line stays: who follows the log knows their place by it.
local kept_for, batch = tonumber(ARGV[1]), ARGV[2]
local now = tonumber(redis.call('TIME')[1]) * 1000
local last_old
for _, line in ipairs(redis.call('XRANGE', lines, '-', '+', 'COUNT', batch)) do
  for at = 1, #line[2], 2 do
    if line[2][at] == 'a' and (tonumber(line[2][at + 1]) or 0) < now - kept_for then
      last_old = line[1]
    end
  end
end
if not last_old then
  return {'done', '0'}
end
local next_line = redis.call('XRANGE', lines, '(' .. last_old, '+', 'COUNT', 1)[1]
local first_kept = next_line and next_line[1] or last_old
return {'done', string.format('%d', redis.call('XTRIM', lines, 'MINID', '=', first_kept))}
