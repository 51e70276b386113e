local nonce, id, expected, flags, revision, expires, revoked, current, previous, rest, owner, place, at = unpack(ARGV)
local no = refused(nonce)
if no then
  return no
end
local value = redis.call('GET', token(id))
if not value then
  return {'missing'}
end
local old = read(id, value)
if old.revision ~= expected then
  return {'conflict'}
end
local seq, damaged = log(nonce, 't' .. id)
if damaged then
  return damaged
end
-- The flags that come are of what comes; those of what stays are added.
flags = tonumber(flags) + bit.band(old.flags, USED)
if current == '' then
  current, previous = old.current, old.previous
end
if previous ~= '' then
  flags = flags + PREVIOUS
end
write({
  id = id, flags = flags, revision = revision, expires = expires, revoked = revoked, used = old.used,
  current = current, previous = previous, rest = rest,
})
if old.owner ~= owner then
  redis.call('ZREM', owned(old.owner), id)
  redis.call('ZADD', owned(owner), 0, id)
end
if old.place ~= place then
  unindex(old.place)
  index(place, tonumber(at))
else
  note_end(chunk_of(place), tonumber(at))
end
return {'done', seq}
