-- Functions that read and change tokens. A token is a hash, whose fields are listed in encoding.rs.

-- Reads fields of a token, for a script that works on many tokens. A damaged token yields no fields, so
-- that it does not stop the script.
local function fields_of(id, ...)
  local found = redis.pcall('HMGET', token(id), ...)
  return found.err and {} or found
end

-- Reads fields of a token. Returns nil if the token does not exist, and fails if a field is missing.
local function read(id, ...)
  if redis.call('EXISTS', token(id)) == 0 then
    return nil
  end
  local found = redis.call('HMGET', token(id), ...)
  for at = 1, #found do
    if not found[at] then
      error('a token lacks a field')
    end
  end
  return found
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
-- first.
local function set_end(owner, id, expires_at, revoked_at)
  local ends = math.min(tonumber(expires_at or '') or math.huge, tonumber(revoked_at or '') or math.huge)
  redis.call('ZADD', owned(owner), ends == math.huge and '+inf' or string.format('%.0f', ends), id)
end

-- Updates the indexes after a token was written.
local function index(id)
  local owner, expires_at, revoked_at = unpack(redis.call('HMGET', token(id), 'o', 'e', 'x'))
  redis.call('ZADD', owners, 0, owner)
  set_end(owner, id, expires_at, revoked_at)
  note_first_end(owner)
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
-- owner is left. Each owner's tokens are read as a whole, so that none is seen twice or left out. Returns the
-- owners with their ids, and the next position, which is empty after the last one.
local function tokens_from(from, enough)
  local found, count = {}, 0
  for _, owner in ipairs(redis.call('ZRANGEBYLEX', owners, from, '+', 'LIMIT', 0, enough)) do
    if count >= enough then
      break
    end
    local ids = redis.call('ZRANGE', owned(owner), 0, -1)
    found[#found + 1], count = {owner, ids}, count + #ids
  end
  return found, count >= enough and '(' .. found[#found][1] or ''
end

-- Writes the fields in ARGV from an index on, which are names and values in turn. An empty value removes
-- the field.
local function write(id, from)
  local set, unset = {}, {}
  for at = from, #ARGV, 2 do
    if ARGV[at + 1] == '' then
      unset[#unset + 1] = ARGV[at]
    else
      set[#set + 1], set[#set + 2] = ARGV[at], ARGV[at + 1]
    end
  end
  redis.call('HSET', token(id), unpack(set))
  if #unset > 0 then
    redis.call('HDEL', token(id), unpack(unset))
  end
end

-- Returns the next number as text, because a Lua number cannot hold all of them.
local function next_number(text)
  local head, last, nines = string.match(text, '^(%d-)([0-8]?)(9*)$')
  return head .. (last == '' and '1' or string.char(string.byte(last) + 1)) .. string.rep('0', #nines)
end

-- Returns whether a token is to be revoked: it is not revoked yet, and its secret is older than
-- `issued_before`, if that is given.
local function is_to_be_revoked(found, issued_before)
  local owner, created_at, regenerated_at, revoked_at, revision = unpack(found, 1, 5)
  local issued_at = tonumber(regenerated_at or created_at or '')
  return owner and issued_at and not revoked_at and string.find(revision or '', '^%d+$')
    and (issued_before == '' or issued_at < tonumber(issued_before))
end

-- The fields that `is_to_be_revoked` and `revoke` need.
local REVOCATION = {'o', 'c', 'g', 'x', 'r', 'e'}

-- Revokes a token.
local function revoke(id, found, at)
  local owner, revision, expires_at = found[1], found[5], found[6]
  redis.call('HSET', token(id), 'x', at, 'r', next_number(revision))
  set_end(owner, id, expires_at, at)
end
