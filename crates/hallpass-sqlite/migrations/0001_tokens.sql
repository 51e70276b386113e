-- One row per token. STRICT refuses values of another type when they are written. WITHOUT ROWID makes
-- the id the key of the table itself, so that a lookup descends one tree only.
-- Times are milliseconds since 1970, UTC.
CREATE TABLE hallpass_tokens (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    -- Name and description in lower case, where that is more than what lower() returns: SQLite's lower()
    -- knows the letters A to Z only. NULL for nearly all tokens.
    name_key TEXT,
    description_key TEXT,
    -- Separated by single spaces. A scope contains no space, so it is found exactly between spaces. A
    -- table of scopes would be a second tree to write, for a filter that runs within one owner's tokens
    -- or over all tokens.
    scopes TEXT NOT NULL,
    -- A JSON object, or empty.
    metadata TEXT NOT NULL DEFAULT '',
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    last_used_at INTEGER,
    revoked_at INTEGER,
    regenerated_at INTEGER,
    revision INTEGER NOT NULL,
    algorithm TEXT NOT NULL,
    digest BLOB NOT NULL,
    previous_algorithm TEXT,
    previous_digest BLOB,
    previous_until INTEGER,
    CHECK (
        (previous_algorithm IS NULL) = (previous_digest IS NULL)
        AND (previous_digest IS NULL) = (previous_until IS NULL)
    )
) STRICT, WITHOUT ROWID;

-- The tokens of one owner: for the limit and for lists. Sorting them is cheap.
CREATE INDEX hallpass_tokens_by_owner ON hallpass_tokens (owner);
-- The tokens of all owners in the default order of a list.
CREATE INDEX hallpass_tokens_by_creation ON hallpass_tokens (created_at);
-- For pruning, and for the tokens that expire soon. Only tokens that expire are in it.
CREATE INDEX hallpass_tokens_by_expiry ON hallpass_tokens (expires_at) WHERE expires_at IS NOT NULL;
-- For pruning and for revoking everything. It also holds all that counting by status needs, so that
-- counting the tokens of all owners does not read the table.
CREATE INDEX hallpass_tokens_by_status ON hallpass_tokens (revoked_at, expires_at);

-- The position of the newest log entry: its number, and the nonce drawn with it.
CREATE TABLE hallpass_clock (
    only INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
    seq INTEGER NOT NULL,
    nonce INTEGER NOT NULL
) STRICT;

INSERT INTO hallpass_clock (only, seq, nonce) VALUES (1, 0, random() & 0x7FFFFFFFFFFFFFFF);

-- The change log: caches follow it, and auditors read it.
CREATE TABLE hallpass_changes (
    seq INTEGER NOT NULL PRIMARY KEY,
    nonce INTEGER NOT NULL,
    -- What a cache must invalidate. Not the same as what the entry is about: pruning invalidates
    -- nothing, and the deletion of one token names its owner too.
    target TEXT NOT NULL CHECK (
        target IN ('none', 'all')
        OR target = 'token' AND token_id IS NOT NULL
        OR target = 'owner' AND owner IS NOT NULL
    ),
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    actor TEXT,
    owner TEXT,
    token_id BLOB,
    count INTEGER NOT NULL,
    -- Origin and changed fields as JSON, or empty.
    details TEXT NOT NULL
) STRICT;

-- A page of the audit trail of one token or one owner. Both end with the number, by which pages are
-- ordered.
CREATE INDEX hallpass_changes_by_token ON hallpass_changes (token_id, seq) WHERE token_id IS NOT NULL;
CREATE INDEX hallpass_changes_by_owner ON hallpass_changes (owner, seq) WHERE owner IS NOT NULL;

-- The version of these tables. The host may have tables of its own in the file, so the version is not in
-- the file's header.
CREATE TABLE hallpass_schema (
    only INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
    version INTEGER NOT NULL
) STRICT;

INSERT INTO hallpass_schema (only, version) VALUES (1, 1);
