-- Whether a change was made of which no answer came. If not, it never will be: its nonce is fenced off.
--
-- It looks back for a minute by the times of the lines. A clock that has jumped ahead between two of them counts for no more
-- than LEAP: it did not take so long.
local MINUTE, LEAP, PAGE, MOST = 60000, 5000, 500, 10000
local wanted = {}
for _, nonce in ipairs(ARGV) do
  wanted[nonce] = true
end
if redis.call('EXISTS', clock) == 0 then
  return {'gone'}
end
local now = tonumber(redis.call('TIME')[1]) * 1000
local found, from, looked_at = {}, '+', 0
local later, age = now, 0
while from do
  local page = redis.call('XREVRANGE', lines, from, '-', 'COUNT', PAGE)
  from = nil
  for _, line in ipairs(page) do
    local fields = {}
    for at = 1, #line[2], 2 do
      fields[line[2][at]] = line[2][at + 1]
    end
    if wanted[fields.n] then
      found[#found + 1] = {string.match(line[1], '^%d+'), fields.w, fields.k or ''}
    end
    from = '(' .. line[1]
    local at = tonumber(fields.a) or later
    age = age + math.min(math.max(later - at, 0), LEAP)
    later = at
    if age > MINUTE then
      from = nil
      break
    end
  end
  looked_at = looked_at + #page
  if from and looked_at >= MOST and #found == 0 then
    return {'many'}
  end
  if #page < PAGE then
    from = nil
  end
end
if #found > 0 then
  return {'found', found}
end
redis.call('SET', prefix .. 'f' .. ARGV[1], '', 'EX', 3600)
return {'fenced'}
