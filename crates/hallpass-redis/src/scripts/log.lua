-- The beginning of each script that writes to the log. ARGV begins with the entry: nonce, target,
-- time, kind, actor, owner, token id, count, details. What follows belongs to the script.
--
-- A script checks everything before it writes anything, because Redis does not roll back.
local entry, DAY = {unpack(ARGV, 1, 9)}, 86400
local outcome = prefix .. 'f' .. entry[1]

-- The key of the outcome is missing unless the call was given up. So this line also ends the
-- script with an error while the slot moves to another node, before anything is written.
local found = redis.call('MGET', clock, outcome)
if not found[1] then
  return {'gone'}
end
if found[2] then
  return {'fenced'}
end

-- Writes the entry under the next number and returns the number. It is a text, because a Lua
-- number does not hold all of them. This is the first write of a script: it fails if the clock and
-- the log disagree. The entry is as the caller says, unless the script knows better how many
-- tokens it is about, or which.
local function log(count, owner, id)
  local target = id and 't' .. id or entry[2]
  count, owner, id = count or entry[8], owner or entry[6], id or entry[7]
  redis.call('INCR', clock)
  local seq = redis.call('GET', clock)
  local added = redis.pcall('XADD', changes, seq .. '-0', 'n', entry[1], 't', target, 'a', entry[3],
    'k', entry[4], 'b', entry[5], 'o', owner, 'i', id, 'c', count, 'd', entry[9])
  if type(added) == 'table' and added.err then
    redis.call('DECR', clock)
    error('the log and its clock do not agree: ' .. added.err)
  end
  redis.call('HSET', meta, 'nonce', entry[1])
  if owner ~= '' then
    redis.call('ZADD', log_of_owner(owner), 0, sortable(seq))
  end
  if id ~= '' then
    redis.call('ZADD', log_of_token(id), 0, sortable(seq))
  end
  return seq
end

-- Replies, and remembers the reply for a caller that does not get it.
local function done(seq, count, rest)
  local reply = {'done', seq, string.format('%d', count), unpack(rest or {})}
  redis.call('SET', outcome, cmsgpack.pack(reply), 'EX', DAY)
  return reply
end

local NOTHING = {'done', '', '0'}
