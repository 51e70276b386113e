-- The first part of each script that writes no log entry: reads the clock.
--
-- Reply      {'gone'} if there is no clock, because the server was emptied or is another server
local seq = redis.call('GET', clock)
if not seq then
  return {'gone'}
end
