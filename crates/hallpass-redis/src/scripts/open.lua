-- Makes an empty namespace a store; leaves one that is a store as it is, and refuses anything else.
local nonce, known = ARGV[1], tonumber(ARGV[2])
local prefix = string.sub(KEYS[1], 1, -2)
local meta = prefix .. 'm'
local there = redis.call('EXISTS', KEYS[1], prefix .. 'l', prefix .. 'd')
if redis.call('EXISTS', meta) == 0 then
  if there > 0 then
    return {'damaged'}
  end
  redis.call('HSET', meta, 'version', known, 'nonce', nonce, 'total', 0)
  redis.call('SET', KEYS[1], 0)
  return {'done'}
end
local version = redis.call('HGET', meta, 'version')
if not version or not tonumber(version) then
  return {'foreign'}
end
if tonumber(version) > known then
  return {'newer', version}
end
if redis.call('EXISTS', KEYS[1]) == 0 then
  return {'damaged'}
end
return {'done'}
