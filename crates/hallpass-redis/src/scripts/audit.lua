-- Reads log entries after a number: all of them, or those about a token or an owner.
--
-- KEYS[1]    the clock
-- ARGV[1]    the owner, or empty for any; it is ignored if there is a token id
-- ARGV[2]    the token id, or empty for any
-- ARGV[3]    the number to start after, or empty to start at the first entry of the order
-- ARGV[4]    1 for ascending numbers, 0 for descending ones
-- ARGV[5]    the maximum number of entries
-- Reply      {'done', number, entries}; the next call starts after the number, which is empty if no
--            entries are left
--
-- Invariant: whether more entries follow depends on the index, not on the entries of the reply. If an
-- entry of the index is not in the log, it is left out, and the next call continues after it.
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
local index = id ~= '' and log_of_token(id) or log_of_owner(owner)
start = after ~= '' and '(' .. sortable(after) or start
local command = ascending and 'ZRANGEBYLEX' or 'ZREVRANGEBYLEX'
local numbers, entries = redis.call(command, index, start, stop, 'LIMIT', 0, limit), {}
for _, number in ipairs(numbers) do
  local entry_id = string.sub(number, 2) .. '-0'
  entries[#entries + 1] = redis.call('XRANGE', changes, entry_id, entry_id)[1]
end
return {'done', #numbers == tonumber(limit) and string.sub(numbers[#numbers], 2) or '', entries}
