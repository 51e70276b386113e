-- Each use is an id of 16 bytes, a revision of 8, and a time of 7, and no two are of the same token and revision.
local uses, moved = ARGV[1], 0
if redis.call('EXISTS', clock) == 0 then
  return {'gone'}
end
local keys = {}
for at = 1, #uses, 31 do
  keys[#keys + 1] = token(string.sub(uses, at, at + 15))
end
-- All at once: to ask for the beginning of each takes longer than to read them whole.
for n, value in ipairs(redis.call('MGET', unpack(keys))) do
  local at = 31 * (n - 1)
  local version, flags = string.byte(value or '', 1, 2)
  if version == 1 and string.sub(value, 3, 10) == string.sub(uses, at + 17, at + 24) then
    local time = string.sub(uses, at + 25, at + 31)
    local before = 10 + (has(flags, EXPIRES) and 7 or 0) + (has(flags, REVOKED) and 7 or 0)
    if not has(flags, USED) then
      redis.call('SET', keys[n], '\1' .. string.char(flags + USED) .. string.sub(value, 3, before) .. time
        .. string.sub(value, before + 1))
      moved = moved + 1
    elseif number(value, before + 1) < number(time) then
      redis.call('SETRANGE', keys[n], before, time)
      moved = moved + 1
    end
  end
end
return {'done', string.format('%d', moved)}
