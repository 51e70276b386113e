local issued_before, at, limit, from, step = ARGV[10], ARGV[11], tonumber(ARGV[12]), ARGV[13], tonumber(ARGV[14])
local found, last = tokens_from(from, step)
