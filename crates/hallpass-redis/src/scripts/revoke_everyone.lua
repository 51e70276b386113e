-- Revokes tokens of all owners, from a position on. revoke.lua follows, and does the work.
--
-- KEYS[1]    the clock
-- ARGV[1-9]  the log entry, see log.lua; the count is replaced
-- ARGV[10]   revokes only secrets issued before this time, in milliseconds; empty for all
-- ARGV[11]   the time of the revocation, in milliseconds
-- ARGV[12]   the maximum number of tokens to revoke
-- ARGV[13]   the position: `-` at first, then the position of the reply before
-- ARGV[14]   the number of tokens after which no further owner is read
local issued_before, revoked_at, limit = ARGV[10], ARGV[11], tonumber(ARGV[12])
local groups, next_position = tokens_from(ARGV[13], tonumber(ARGV[14]))
