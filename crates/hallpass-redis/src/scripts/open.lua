-- Checks the keys of a namespace, and prepares an empty one if that is allowed.
--
-- KEYS[1]    the clock
-- ARGV[1]    the nonce for a new store
-- ARGV[2]    the newest version of the format that the program supports
-- ARGV[3]    1 if an empty namespace may be prepared
-- Reply      {'done'}, {'missing'} (empty, and may not be prepared), {'damaged'} (a key is missing),
--            {'foreign'} (keys of another application), or {'newer', version}
--
-- Invariant: an existing key is never changed.
local nonce, supported_version, may_create = ARGV[1], tonumber(ARGV[2]), ARGV[3] == '1'
if redis.call('EXISTS', meta) == 0 then
  if redis.call('EXISTS', clock, changes, owners) > 0 then
    return {'damaged'}
  end
  if not may_create then
    return {'missing'}
  end
  redis.call('HSET', meta, 'version', supported_version, 'nonce', nonce)
  redis.call('SET', clock, 0)
  return {'done'}
end
local version = tonumber(redis.call('HGET', meta, 'version') or '')
if not version then
  return {'foreign'}
end
if version > supported_version then
  return {'newer', string.format('%d', version)}
end
if redis.call('EXISTS', clock) == 0 then
  return {'damaged'}
end
return {'done'}
