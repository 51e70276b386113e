-- Reading and changing tokens. A token is a hash; its fields are listed in encoding.rs.

-- Fields of a token, for a script that works on many: a damaged token has none, and hinders no
-- other.
local function fields_of(id, ...)
  local found = redis.pcall('HMGET', token(id), ...)
  return found.err and {} or found
end

-- Fields of a token that must be whole; nil if there is no such token.
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

-- The place of a token among all: its age, and then its id. The constant keeps the time positive.
local function place(created_at, id)
  return struct.pack('>I7', tonumber(created_at) + 562949953421312) .. id
end

-- Notes when the first of an owner's tokens ends.
local function note_first_end(owner)
  local first = redis.call('ZRANGE', owned(owner), 0, 0, 'WITHSCORES')[2]
  if first and first ~= 'inf' then
    redis.call('ZADD', by_first_end, first, owner)
  else
    redis.call('ZREM', by_first_end, owner)
  end
end

-- Notes when a token ends: when it is revoked or expires, whichever is first.
local function set_end(owner, id, expires_at, revoked_at)
  local ends = math.min(tonumber(expires_at or '') or math.huge, tonumber(revoked_at or '') or math.huge)
  redis.call('ZADD', owned(owner), ends == math.huge and '+inf' or string.format('%.0f', ends), id)
end

local function index(id)
  local owner, created_at, expires_at, revoked_at = unpack(redis.call('HMGET', token(id), 'o', 'c', 'e', 'x'))
  redis.call('ZADD', by_age, 0, place(created_at, id))
  set_end(owner, id, expires_at, revoked_at)
  note_first_end(owner)
end

-- Removes a token from the indexes. A damaged one without a time of creation leaves its place
-- among all behind; lists skip a place without a token.
local function unindex(owner, id, created_at)
  if tonumber(created_at or '') then
    redis.call('ZREM', by_age, place(created_at, id))
  end
  redis.call('ZREM', owned(owner), id)
  note_first_end(owner)
end

local function remove(owner, id)
  local created_at = fields_of(id, 'c')[1]
  redis.call('DEL', token(id))
  unindex(owner, id, created_at)
end

-- Writes the fields that stand in ARGV from there on, names and values in turn. An empty value
-- removes.
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

-- The number after that one, as a text: a Lua number does not hold all of them.
local function next_number(text)
  local head, last, nines = string.match(text, '^(%d-)([0-8]?)(9*)$')
  return head .. (last == '' and '1' or string.char(string.byte(last) + 1)) .. string.rep('0', #nines)
end

-- Whether a token is to be revoked: it is not, and its secret is older than that, if that matters.
local function is_to_be_revoked(found, issued_before)
  local owner, created_at, regenerated_at, revoked_at, revision = unpack(found, 1, 5)
  local issued_at = tonumber(regenerated_at or created_at or '')
  return owner and issued_at and not revoked_at and string.find(revision or '', '^%d+$')
    and (issued_before == '' or issued_at < tonumber(issued_before))
end

-- The fields that the two functions around this look at.
local REVOCATION = {'o', 'c', 'g', 'x', 'r', 'e'}

local function revoke(id, found, at)
  local owner, revision, expires_at = found[1], found[5], found[6]
  redis.call('HSET', token(id), 'x', at, 'r', next_number(revision))
  set_end(owner, id, expires_at, at)
end
