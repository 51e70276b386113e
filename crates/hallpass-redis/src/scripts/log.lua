-- The first part of each script that writes to the log.
--
-- ARGV[1-9]  the entry: nonce, target, time, kind, actor, owner, token id, count, details. The other
--            arguments belong to the script.
-- Reply      {'gone'} if there is no clock, or {'fenced'} if the change was given up
--
-- Invariant: a script checks everything before it writes anything, because Redis has no rollback.
--
-- The key of the outcome is for a caller whose reply is lost (see change.rs). It contains the reply of
-- a change that was made, and is empty for a change that was given up.
local entry, DAY = {unpack(ARGV, 1, 9)}, 86400
local outcome = prefix .. 'f' .. entry[1]

-- The key of the outcome normally does not exist. So while the slot moves to another node, this line
-- ends the script with an error, before anything is written.
local seq_and_reply = redis.call('MGET', clock, outcome)
if not seq_and_reply[1] then
  return {'gone'}
end
if seq_and_reply[2] then
  return {'fenced'}
end

-- Writes the entry with the next number. Returns the number as text, because a Lua number cannot hold
-- all of them.
--
-- This must be the first write of a script, because it fails if the clock and the log disagree. The
-- arguments replace the count, the owner and the token id in ARGV.
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

-- Ends a change: stores its reply for a day, for a caller that does not receive it, and returns it.
-- `rest` are further values of the reply.
local function finish(seq, count, rest)
  local reply = {'done', seq, string.format('%d', count)}
  -- Not `unpack`, which fails if there are thousands of values.
  for _, value in ipairs(rest or {}) do
    reply[#reply + 1] = value
  end
  redis.call('SET', outcome, cmsgpack.pack(reply), 'EX', DAY)
  return reply
end

-- The reply if nothing was changed.
local NOTHING = {'done', '', '0'}
