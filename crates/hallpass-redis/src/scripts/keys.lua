-- The keys. Each starts with the hash tag of KEYS[1], so that all of them are in one slot.
local prefix = string.sub(KEYS[1], 1, -2)
local clock, meta, changes = KEYS[1], prefix .. 'm', prefix .. 'l'
-- The owners who have tokens: all of them, and those of whose tokens some end, by the time of the first.
local owners, by_first_end = prefix .. 'a', prefix .. 'e'

local function token(id)
  return prefix .. 't' .. id
end

-- An owner's tokens, by the time at which they end.
local function owned(owner)
  return prefix .. 'o' .. owner
end

-- The log entries about an owner, and those about a token.
local function log_of_owner(owner)
  return prefix .. 'lo' .. owner
end

local function log_of_token(id)
  return prefix .. 'lt' .. id
end

-- Writes a sequence number as text that sorts like the number: a letter for the number of digits comes
-- first. A score cannot hold numbers from 2^53 on.
local function sortable(seq)
  return string.char(96 + #seq) .. seq
end
