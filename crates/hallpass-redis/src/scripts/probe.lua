-- Looks up a change whose reply was lost. If the change was not made, this makes sure that it never
-- will be: a script whose outcome is empty does nothing. See change.rs.
local outcome = prefix .. 'f' .. ARGV[1]
local found = redis.call('GET', outcome)
if found and found ~= '' then
  return cmsgpack.unpack(found)
end
redis.call('SET', outcome, '', 'EX', 86400)
return {'fenced'}
