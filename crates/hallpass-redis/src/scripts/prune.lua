-- A few at a time, of the chunk with the earliest end that is noted: what else is asked does not wait long.
local before, limit = tonumber(ARGV[1]), tonumber(ARGV[2])
if redis.call('EXISTS', clock) == 0 then
  return {'gone'}
end
local low = redis.call('ZRANGEBYSCORE', ends_first, '-inf', '(' .. ARGV[1], 'LIMIT', 0, 1)[1]
if not low then
  return {'done', '0', 'all'}
end

-- How many tokens are looked at in one go, and the shortest value that can be one.
local SOME, SHORTEST = 16, 43

local function key_of(place)
  if #place == 18 then
    return prefix .. 't' .. string.sub(place, 2, 7) .. string.sub(place, 9)
  end
  return token(string.sub(place, 9))
end

-- When it is over, by the beginning of its value alone.
local function ends_by(value)
  local version, flags = string.byte(value, 1, 2)
  if version ~= 1 or #value < SHORTEST then
    return nil
  end
  local expires = has(flags, EXPIRES) and number(value, 11) or nil
  return earlier(expires, has(flags, REVOKED) and number(value, expires and 18 or 11) or nil)
end

local keys, records, places = {}, {}, {}
local next_end, is_left
local function look(key, place, value)
  local over = value and ends_by(value)
  if over and over >= before then
    next_end = earlier(next_end, over)
  elseif #places == limit then
    is_left = is_left or over or not value
  elseif over then
    -- One that cannot be read stays, and keeps none of the others.
    local is_whole, record = pcall(read, string.sub(key, -16), value)
    if is_whole then
      keys[#keys + 1], records[#records + 1], places[#places + 1] = key, record, place
    end
  elseif not value then
    places[#places + 1] = place
  end
end

local at, here = 0, nil
repeat
  here = redis.call('ZRANGE', chunk(low), at, at + SOME - 1)
  local asked = {}
  for n, place in ipairs(here) do
    asked[n] = key_of(place)
  end
  local values = #here > 0 and redis.call('MGET', unpack(asked)) or {}
  for n, place in ipairs(here) do
    look(asked[n], place, values[n])
  end
  at = at + SOME
until is_left or #here < SOME

if not is_left then
  redis.call('ZREM', ends_first, low)
  note_end(low, next_end)
end
if #keys > 0 then
  redis.call('DEL', unpack(keys))
  for _, record in ipairs(records) do
    redis.call('ZREM', owned(record.owner), record.id)
  end
  redis.call('HINCRBY', meta, 'total', -#keys)
end
if #places > 0 then
  redis.call('ZREM', chunk(low), unpack(places))
  settle(low)
end
return {'done', string.format('%d', #keys), ''}
