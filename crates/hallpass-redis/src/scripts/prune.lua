-- One chunk at a time: the one with the earliest end that is noted.
local before, limit = tonumber(ARGV[1]), tonumber(ARGV[2])
if redis.call('EXISTS', clock) == 0 then
  return {'gone'}
end
local low = redis.call('ZRANGEBYSCORE', ends_first, '-inf', '(' .. ARGV[1], 'LIMIT', 0, 1)[1]
if not low then
  return {'done', '0', 'all'}
end
local ended, left, next_end = {}, 0, nil
local stale = {}
for _, place in ipairs(redis.call('ZRANGE', chunk(low), 0, -1)) do
  local id = #place == 18 and string.sub(place, 2, 7) .. string.sub(place, 9) or string.sub(place, 9)
  local value = redis.call('GET', token(id))
  local is_whole, record
  if value then
    is_whole, record = pcall(read, id, value)
  else
    stale[#stale + 1] = place
  end
  -- One that cannot be read stays, and keeps none of the others.
  local at = is_whole and ends(record)
  if at and at < before then
    if #ended < limit then
      ended[#ended + 1] = record
    else
      left = left + 1
    end
  elseif at and (not next_end or at < next_end) then
    next_end = at
  end
end
if left == 0 then
  redis.call('ZREM', ends_first, low)
  note_end(low, next_end)
end
for _, record in ipairs(ended) do
  remove(record)
end
for _, place in ipairs(stale) do
  unindex(place)
end
return {'done', string.format('%d', #ended), ''}
