-- Reads the clock. If there is none, the server was emptied, and the script ends.
local seq = redis.call('GET', clock)
if not seq then
  return {'gone'}
end
