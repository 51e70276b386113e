local issued_before, at, owner = ARGV[10], ARGV[11], ARGV[12]
local found, last, limit = {{owner, redis.call('ZRANGE', owned(owner), 0, -1)}}, '', math.huge
