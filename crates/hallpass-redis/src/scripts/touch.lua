-- Each use is an id of 16 bytes, a revision of 8, and a time of 7.
local uses, moved = ARGV[1], 0
if redis.call('EXISTS', clock) == 0 then
  return {'gone'}
end
for at = 1, #uses, 31 do
  local key = token(string.sub(uses, at, at + 15))
  local revision, time = string.sub(uses, at + 16, at + 23), string.sub(uses, at + 24, at + 30)
  local head = redis.call('GETRANGE', key, 0, 30)
  if string.byte(head, 1) == 1 and string.sub(head, 3, 10) == revision then
    local flags = string.byte(head, 2)
    local before = 10 + (has(flags, EXPIRES) and 7 or 0) + (has(flags, REVOKED) and 7 or 0)
    if not has(flags, USED) then
      local value = redis.call('GET', key)
      redis.call('SET', key, '\1' .. string.char(flags + USED) .. string.sub(value, 3, before) .. time
        .. string.sub(value, before + 1))
      moved = moved + 1
    elseif number(string.sub(head, before + 1, before + 7)) < number(time) then
      redis.call('SETRANGE', key, before, time)
      moved = moved + 1
    end
  end
end
return {'done', string.format('%d', moved)}
