-- Reads log entries after a number: all of them, or those about a token or an owner. Replies with the
-- number to continue after, and the entries.
local owner, id, after, ascending, limit = unpack(ARGV)
ascending = ascending == '1'
local start, stop = ascending and '-' or '+', ascending and '+' or '-'
if not ascending and after == '0' then
  return {'done', '', {}} -- Nothing is before the first entry, and Redis refuses the range before 0-0.
end
if owner == '' and id == '' then
  start = after ~= '' and '(' .. after .. '-0' or start
  local entries = redis.call(ascending and 'XRANGE' or 'XREVRANGE', changes, start, stop, 'COUNT', limit)
  local last = #entries == tonumber(limit) and string.match(entries[#entries][1], '^%d+') or ''
  return {'done', last, entries}
end
local key = id ~= '' and log_of_token(id) or log_of_owner(owner)
start = after ~= '' and '(' .. sortable(after) or start
local command = ascending and 'ZRANGEBYLEX' or 'ZREVRANGEBYLEX'
local members, entries = redis.call(command, key, start, stop, 'LIMIT', 0, limit), {}
for _, member in ipairs(members) do
  local at = string.sub(member, 2) .. '-0'
  entries[#entries + 1] = redis.call('XRANGE', changes, at, at)[1]
end
return {'done', #members == tonumber(limit) and string.sub(members[#members], 2) or '', entries}
