-- Finds out whether a change was made whose reply was lost. If it was not, it never will be.
local outcome = prefix .. 'f' .. ARGV[1]
if redis.call('EXISTS', clock) == 0 then
  return {'gone'}
end
local found = redis.call('GET', outcome)
if found and found ~= '' then
  return cmsgpack.unpack(found)
end
redis.call('SET', outcome, '', 'EX', 86400)
return {'fenced'}
