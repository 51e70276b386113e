-- Prepares an empty namespace if it may. Leaves a store as it is, and rejects anything else.
local nonce, known, may_create = ARGV[1], tonumber(ARGV[2]), ARGV[3] == '1'
local others = redis.call('EXISTS', clock, changes, owners)
if redis.call('EXISTS', meta) == 0 then
  if others > 0 then
    return {'damaged'}
  end
  if not may_create then
    return {'missing'}
  end
  redis.call('HSET', meta, 'version', known, 'nonce', nonce)
  redis.call('SET', clock, 0)
  return {'done'}
end
local version = tonumber(redis.call('HGET', meta, 'version') or '')
if not version then
  return {'foreign'}
end
if version > known then
  return {'newer', string.format('%d', version)}
end
if redis.call('EXISTS', clock) == 0 then
  return {'damaged'}
end
return {'done'}
