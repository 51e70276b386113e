-- Looks up a change whose reply was lost. See change.rs.
--
-- KEYS[1]    the clock
-- ARGV[1]    the nonce of the change
-- Reply      the stored reply of the change if it was made, or {'fenced'} if it never will be
--
-- Invariant: if the change was not made, the empty outcome is stored in the same atomic step. A script
-- whose outcome is empty does nothing (log.lua), even if it arrives later.
local outcome = prefix .. 'f' .. ARGV[1]
local reply = redis.call('GET', outcome)
if reply and reply ~= '' then
  return cmsgpack.unpack(reply)
end
redis.call('SET', outcome, '', 'EX', 86400)
return {'fenced'}
