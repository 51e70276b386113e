-- One row a token. STRICT: a value of another type is refused when it is written. WITHOUT ROWID: the
-- id is the key of the table itself, so a look-up is one descent of one tree.
-- Times are milliseconds since 1970, UTC.
CREATE TABLE tokens (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    -- Name and description in lower case, where that is more than lower() makes of them: SQLite's knows the
    -- letters A to Z. NULL for nearly all.
    name_key TEXT,
    description_key TEXT,
    -- Between single spaces. No scope has a space in it, so one is found exactly by looking for it
    -- between spaces; a table of its own would be a second tree to keep for a filter that only ever
    -- runs within one owner's tokens or over everybody's.
    scopes TEXT NOT NULL,
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

-- An owner's tokens: the limit counts them, lists show them. To sort a person's costs nothing beside that.
CREATE INDEX tokens_by_owner ON tokens (owner);
-- An admin's list of everybody's tokens, in the order it has by default.
CREATE INDEX tokens_by_creation ON tokens (created_at);
-- What prune looks for. Most tokens are neither revoked nor bound to end, so most are in neither.
CREATE INDEX tokens_by_expiry ON tokens (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX tokens_by_revocation ON tokens (revoked_at) WHERE revoked_at IS NOT NULL;

-- The number of the last change, and the nonce drawn with it.
CREATE TABLE clock (
    only INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
    seq INTEGER NOT NULL,
    nonce INTEGER NOT NULL
) STRICT;

INSERT INTO clock (only, seq, nonce) VALUES (1, 0, random() & 0x7FFFFFFFFFFFFFFF);

-- The changes of the last day or so, for caches to follow.
CREATE TABLE changes (
    seq INTEGER NOT NULL PRIMARY KEY,
    nonce INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('token', 'owner')),
    token BLOB CHECK ((token IS NOT NULL) = (kind = 'token')),
    owner TEXT CHECK ((owner IS NOT NULL) = (kind = 'owner')),
    at INTEGER NOT NULL
) STRICT;

PRAGMA application_id = 0x48506173; -- "HPas"
PRAGMA user_version = 1;
