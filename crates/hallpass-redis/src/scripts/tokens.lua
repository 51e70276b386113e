-- Functions that read and change tokens, and keep the indexes of tokens up to date. A token is a hash,
-- whose fields are listed in encoding.rs.

-- Reads fields of a token, for a script that works on many tokens. A damaged token yields no fields, so
-- that it does not stop the script.
local function fields_of(id, ...)
  local fields = redis.pcall('HMGET', token(id), ...)
  return fields.err and {} or fields
end

-- Reads fields of a token. Returns nil if the token does not exist, and fails if a field is missing.
local function read(id, ...)
  if redis.call('EXISTS', token(id)) == 0 then
    return nil
  end
  local fields = redis.call('HMGET', token(id), ...)
  for i = 1, #fields do
    if not fields[i] then
      error('a token lacks a field')
    end
  end
  return fields
end

-- Updates the index by the time at which the first of an owner's tokens ends.
local function note_first_end(owner)
  local first = redis.call('ZRANGE', owned(owner), 0, 0, 'WITHSCORES')[2]
  if first and first ~= 'inf' then
    redis.call('ZADD', by_first_end, first, owner)
  else
    redis.call('ZREM', by_first_end, owner)
  end
end

-- Updates the index by the time at which a token ends: its revocation or its expiry, whichever is
-- first. Returns this time, or nil if the token does not end.
local function set_end(owner, id, expires_at, revoked_at)
  local ends = math.min(tonumber(expires_at or '') or math.huge, tonumber(revoked_at or '') or math.huge)
  local score = ends ~= math.huge and string.format('%.0f', ends) or nil
  redis.call('ZADD', owned(owner), score or '+inf', id)
  return score
end

-- Deletes a token.
local function remove(owner, id)
  redis.call('DEL', token(id))
  redis.call('ZREM', owned(owner), id)
  note_first_end(owner)
  if redis.call('EXISTS', owned(owner)) == 0 then
    redis.call('ZREM', owners, owner)
  end
end

-- Reads the ids of the tokens of all owners from a position on, until there are at least `enough` or no
-- owner is left. A position is a bound of ZRANGEBYLEX. Each owner's tokens are read as a whole, so that
-- none is seen twice or left out.
--
-- Returns one group for each owner, with the owner and the ids, and the next position, which is empty
-- after the last owner.
local function tokens_from(position, enough)
  local groups, count = {}, 0
  for _, owner in ipairs(redis.call('ZRANGEBYLEX', owners, position, '+', 'LIMIT', 0, enough)) do
    if count >= enough then
      break
    end
    local ids = redis.call('ZRANGE', owned(owner), 0, -1)
    groups[#groups + 1], count = {owner = owner, ids = ids}, count + #ids
  end
  return groups, count >= enough and '(' .. groups[#groups].owner or ''
end

-- Writes the fields in ARGV from an index on, which are names and values in turn. An empty value removes
-- the field. Returns the values by name.
local function write(id, from)
  local values, set, unset = {}, {}, {}
  for argument = from, #ARGV, 2 do
    local name, value = ARGV[argument], ARGV[argument + 1]
    values[name] = value
    if value == '' then
      unset[#unset + 1] = name
    else
      set[#set + 1], set[#set + 2] = name, value
    end
  end
  redis.call('HSET', token(id), unpack(set))
  if #unset > 0 then
    redis.call('HDEL', token(id), unpack(unset))
  end
  return values
end

-- Adds one to a number that is written as text, because a Lua number cannot hold all revisions. The last
-- digit that is not a nine is raised, and the nines after it become zeros.
local function next_number(text)
  local head, last, nines = string.match(text, '^(%d-)([0-8]?)(9*)$')
  return head .. (last == '' and '1' or string.char(string.byte(last) + 1)) .. string.rep('0', #nines)
end

-- Returns whether a token is to be revoked: it is not revoked yet, and its secret was issued before
-- `issued_before`, which is empty for any time. `fields` are those in `REVOCATION`.
local function is_to_be_revoked(fields, issued_before)
  local owner, created_at, regenerated_at, revoked_at, revision = unpack(fields, 1, 5)
  local issued_at = tonumber(regenerated_at or created_at or '')
  return owner and issued_at and not revoked_at and string.find(revision or '', '^%d+$')
    and (issued_before == '' or issued_at < tonumber(issued_before))
end

-- The fields that `is_to_be_revoked` and `revoke` need: owner, created, regenerated, revoked, revision,
-- expires.
local REVOCATION = {'o', 'c', 'g', 'x', 'r', 'e'}

-- Revokes a token. `fields` are those in `REVOCATION`.
local function revoke(id, fields, revoked_at)
  local owner, revision, expires_at = fields[1], fields[5], fields[6]
  redis.call('HSET', token(id), 'x', revoked_at, 'r', next_number(revision))
  set_end(owner, id, expires_at, revoked_at)
end
