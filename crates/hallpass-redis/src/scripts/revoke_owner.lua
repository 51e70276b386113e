-- Revokes the tokens of an owner. revoke.lua follows, and does the work.
--
-- KEYS[1]    the clock
-- ARGV[1-9]  the log entry, see log.lua; the count is replaced
-- ARGV[10]   revokes only secrets issued before this time, in milliseconds; empty for all
-- ARGV[11]   the time of the revocation, in milliseconds
-- ARGV[12]   the owner
local issued_before, revoked_at, owner = ARGV[10], ARGV[11], ARGV[12]
local groups = {{owner = owner, ids = redis.call('ZRANGE', owned(owner), 0, -1)}}
local limit, next_position = math.huge, ''
