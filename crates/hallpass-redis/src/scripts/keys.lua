-- The start of every script: the keys, which all scripts derive from the key of the clock.
--
-- KEYS[1]    the key of the clock, which ends in the letter `c`
--
-- Invariant: each key starts with the hash tag of KEYS[1], so all keys are in one slot of a cluster.
-- A script may therefore use keys that are not in KEYS.
local prefix = string.sub(KEYS[1], 1, -2)
-- The clock is the number of the newest log entry. `meta` is a hash with the version of the format and
-- the nonce of the newest entry. `changes` is the log, a stream.
local clock, meta, changes = KEYS[1], prefix .. 'm', prefix .. 'l'
-- Two sorted sets of owners: those who have tokens, by name, and those of whose tokens at least one
-- ends, by the time at which the first one ends.
local owners, by_first_end = prefix .. 'a', prefix .. 'e'

-- Returns the key of a token, a hash. Its fields are listed in encoding.rs.
local function token(id)
  return prefix .. 't' .. id
end

-- Returns the key of an owner's tokens, a sorted set of ids by the time at which the token ends.
local function owned(owner)
  return prefix .. 'o' .. owner
end

-- Returns the key of the log entries about an owner, a sorted set of `sortable` numbers.
local function log_of_owner(owner)
  return prefix .. 'lo' .. owner
end

-- Returns the key of the log entries about a token, a sorted set of `sortable` numbers.
local function log_of_token(id)
  return prefix .. 'lt' .. id
end

-- Writes a sequence number as text that sorts like the number: a letter for the number of digits comes
-- first. A score cannot hold numbers from 2^53 on.
local function sortable(seq)
  return string.char(96 + #seq) .. seq
end
