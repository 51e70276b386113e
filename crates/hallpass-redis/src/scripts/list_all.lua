-- Everybody's tokens behind a place of the index, in its order or against it.
local prefix = string.sub(KEYS[1], 1, -2)
local chunks = prefix .. 'd'
local after, descending, limit = ARGV[1], ARGV[2] == '1', tonumber(ARGV[3])
local total = redis.call('HGET', prefix .. 'm', 'total')
if not total then
  return {'gone'}
end

local function some(key, bound, count)
  if descending then
    return redis.call('ZREVRANGEBYLEX', key, bound, '-', 'LIMIT', 0, count)
  end
  return redis.call('ZRANGEBYLEX', key, bound, '+', 'LIMIT', 0, count)
end

local start = descending and '+' or '-'
local low = after ~= '' and redis.call('ZREVRANGEBYLEX', chunks, '[' .. after, '-', 'LIMIT', 0, 1)[1]
if not low and not (after ~= '' and descending) then
  low = some(chunks, start, 1)[1]
end
local bound = after ~= '' and '(' .. after or start
local ids, keys, last = {}, {}, nil
while low and #ids < limit do
  for _, place in ipairs(some(prefix .. 'i' .. low, bound, limit - #ids)) do
    local id = #place == 18 and string.sub(place, 2, 7) .. string.sub(place, 9) or string.sub(place, 9)
    last = place
    ids[#ids + 1] = id
    keys[#keys + 1] = prefix .. 't' .. id
  end
  low = some(chunks, '(' .. low, 1)[1]
end
-- Where to go on, if this is not all.
local cursor = #ids == limit and last or ''
return {'done', total, cursor, ids, #keys > 0 and redis.call('MGET', unpack(keys)) or {}}
