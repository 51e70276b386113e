-- Everybody's places in the index behind one of them, in its order or against it: one text for each chunk, and if they are
-- wanted the tokens as well.
local prefix = string.sub(KEYS[1], 1, -2)
local chunks = prefix .. 'd'
local after, descending, limit, wants_tokens = ARGV[1], ARGV[2] == '1', tonumber(ARGV[3]), ARGV[4] == '1'
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
local found, keys, count, last = {}, {}, 0, nil
while low and count < limit do
  local places = some(prefix .. 'i' .. low, bound, limit - count)
  for at = 1, wants_tokens and #places or 0 do
    local place = places[at]
    local id = #place == 18 and string.sub(place, 2, 7) .. string.sub(place, 9) or string.sub(place, 9)
    keys[#keys + 1] = prefix .. 't' .. id
  end
  found[#found + 1] = table.concat(places)
  count = count + #places
  last = places[#places] or last
  low = some(chunks, '(' .. low, 1)[1]
end
-- Where to go on, if this is not all.
local cursor = count == limit and last or ''
return {'done', total, cursor, found, #keys > 0 and redis.call('MGET', unpack(keys)) or {}}
