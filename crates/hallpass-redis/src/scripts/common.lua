-- What the scripts share. Every key begins with the same hash tag as the clock, KEYS[1], so that all of them
-- are in its slot. Texts are never compared by `<`: that would follow the server's locale.
local prefix = string.sub(KEYS[1], 1, -2)
local clock, meta, lines = KEYS[1], prefix .. 'm', prefix .. 'l'
local chunks, ends_first = prefix .. 'd', prefix .. 'e'

-- How many places a chunk of the index holds: as many as Redis keeps in a compact list by default.
local FULL, HALF, FEW, MERGED = 128, 64, 32, 96

local EXPIRES, REVOKED, USED, PREVIOUS, CREATED, REGENERATED = 1, 2, 4, 8, 16, 32

local function has(flags, flag)
  return bit.band(flags, flag) ~= 0
end

-- The number that seven bytes make: 50 bits, which a double holds.
local function number(bytes, from)
  from = from or 1
  local a, b, c, d, e, f, g = string.byte(bytes, from, from + 6)
  return (((((a * 256 + b) * 256 + c) * 256 + d) * 256 + e) * 256 + f) * 256 + g
end

local function token(id)
  return prefix .. 't' .. id
end

local function owned(owner)
  return prefix .. 'o' .. owner
end

local function chunk(low)
  return prefix .. 'i' .. low
end

-- Why nothing may be changed, if so. This comes first in each script that changes something: where the slot is on its
-- way to another node, asking for a key that is not there ends the script before it has written anything.
local function refused(nonce)
  local found = redis.call('MGET', clock, prefix .. 'f' .. nonce)
  if not found[1] then
    return {'gone'}
  end
  if found[2] then
    return {'fenced'}
  end
end

-- Takes the next number and logs what has changed. Numbers are texts here: a double does not hold all of them.
local function log(nonce, what, count)
  redis.call('INCR', clock)
  local seq = redis.call('GET', clock)
  local now = redis.call('TIME')
  local millis = now[1] .. string.format('%03d', math.floor(tonumber(now[2]) / 1000))
  local line = {'n', nonce, 'a', millis, 'w', what}
  if count then
    line[7], line[8] = 'k', string.format('%d', count)
  end
  local added = redis.pcall('XADD', lines, seq .. '-0', unpack(line))
  if type(added) == 'table' and added.err then
    redis.call('DECR', clock)
    return nil, string.find(added.err, 'equal or smaller', 1, true) and {'damaged'} or added
  end
  redis.call('HSET', meta, 'nonce', nonce)
  return seq
end

-- So many bytes of a value, and where it goes on.
local function take(value, at, count)
  local bytes = string.sub(value, at, at + count - 1)
  if #bytes ~= count then
    error('a record that ends early')
  end
  return bytes, at + count
end

local function take_time(value, at, is_there)
  if is_there then
    return take(value, at, 7)
  end
  return '', at
end

local function take_digest(value, at)
  return take(value, at, 33 + (string.byte(value, at) or 0))
end

-- Takes a stored record apart, as far as scripts need it.
local function read(id, value)
  local version, flags = string.byte(value, 1, 2)
  if version ~= 1 then
    error('a record of another version')
  end
  local record = {id = id, flags = flags, revision = string.sub(value, 3, 10)}
  local at, until_then, created = 11, '', nil
  record.expires, at = take_time(value, at, has(flags, EXPIRES))
  record.revoked, at = take_time(value, at, has(flags, REVOKED))
  record.used, at = take_time(value, at, has(flags, USED))
  record.current, at = take_digest(value, at)
  record.previous = ''
  if has(flags, PREVIOUS) then
    record.previous, at = take_digest(value, at)
    until_then, at = take(value, at, 7)
    record.previous = record.previous .. until_then
  end
  record.rest = string.sub(value, at)
  created, at = take_time(value, at, has(flags, CREATED))
  at = at + (has(flags, REGENERATED) and 7 or 0)
  local length, low = string.byte(value, at, at + 1)
  at = at + 1
  if length and length >= 128 then
    length, at = (length - 128) * 256 + (low or 0), at + 1
  end
  record.owner = take(value, at, length or 1)
  -- Its place in the index: when it was created, and then its id, without what both have in common.
  local of_id = '\2' .. string.sub(id, 1, 6)
  if created == '' then
    record.place = of_id .. '\2' .. string.sub(id, 7)
  else
    record.place = created .. (number(of_id) < number(created) and '\1' or '\3') .. id
  end
  return record
end

local function earlier(one, other)
  return one and other and math.min(one, other) or one or other
end

-- When it is over, as a number; nil if never.
local function ends(record)
  return earlier(record.expires ~= '' and number(record.expires) or nil,
    record.revoked ~= '' and number(record.revoked) or nil)
end

local function write(record)
  redis.call('SET', token(record.id), '\1' .. string.char(record.flags) .. record.revision .. record.expires
    .. record.revoked .. record.used .. record.current .. record.previous .. record.rest)
end

-- The lower end of the chunk that a place belongs to.
local function chunk_of(place)
  return redis.call('ZREVRANGEBYLEX', chunks, '[' .. place, '-', 'LIMIT', 0, 1)[1]
end

local function move(places, low)
  local members = {}
  for _, place in ipairs(places) do
    members[#members + 1] = 0
    members[#members + 1] = place
  end
  redis.call('ZADD', chunk(low), unpack(members))
end

-- Notes that a token of this chunk ends then: none ends before the least that is noted.
local function note_end(low, at)
  if at then
    redis.call('ZADD', ends_first, 'LT', string.format('%.0f', at), low)
  end
end

-- Divides a full chunk where a new place comes, or in the middle. Answers the chunk for the place.
local function divide(low, place)
  local before = redis.call('ZLEXCOUNT', chunk(low), '-', '(' .. place)
  local from = math.max(HALF, before)
  local moved = redis.call('ZRANGE', chunk(low), from, -1)
  local new = before >= HALF and place or moved[1]
  redis.call('ZADD', chunks, 0, new)
  if #moved > 0 then
    redis.call('ZREMRANGEBYRANK', chunk(low), from, -1)
    move(moved, new)
    note_end(new, tonumber(redis.call('ZSCORE', ends_first, low) or nil))
  end
  return before >= HALF and new or low
end

local function index(place, at)
  local low = chunk_of(place)
  if not low then
    low = ''
    redis.call('ZADD', chunks, 0, low)
  elseif redis.call('ZCARD', chunk(low)) >= FULL then
    low = divide(low, place)
  end
  redis.call('ZADD', chunk(low), 0, place)
  note_end(low, at)
end

-- Puts a chunk with few places left to the one before.
local function merge(low, left)
  local before = redis.call('ZREVRANGEBYLEX', chunks, '(' .. low, '-', 'LIMIT', 0, 1)[1]
  if not before or redis.call('ZCARD', chunk(before)) + left > MERGED then
    return
  end
  move(redis.call('ZRANGE', chunk(low), 0, -1), before)
  note_end(before, tonumber(redis.call('ZSCORE', ends_first, low) or nil))
  redis.call('DEL', chunk(low))
  redis.call('ZREM', chunks, low)
  redis.call('ZREM', ends_first, low)
end

-- What becomes of a chunk when places have gone from it.
local function settle(low)
  local left = redis.call('ZCARD', chunk(low))
  if left == 0 then
    redis.call('ZREM', chunks, low)
    redis.call('ZREM', ends_first, low)
  elseif left < FEW then
    merge(low, left)
  end
end

local function unindex(place)
  local low = chunk_of(place)
  if not low then
    return
  end
  redis.call('ZREM', chunk(low), place)
  settle(low)
end

local function remove(record)
  redis.call('DEL', token(record.id))
  redis.call('ZREM', owned(record.owner), record.id)
  unindex(record.place)
  redis.call('HINCRBY', meta, 'total', -1)
end
