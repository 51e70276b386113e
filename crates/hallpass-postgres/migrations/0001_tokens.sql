-- The first schema of Hallpass, in a PostgreSQL schema of its own. A service applies it when it starts; with
-- other tools: psql --single-transaction --set ON_ERROR_STOP=1 --file 0001_tokens.sql

-- Not CREATE SCHEMA IF NOT EXISTS: that asks for the right to create one even where it is there already.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'hallpass') THEN
        CREATE SCHEMA hallpass;
    END IF;
END
$$;

-- Which of these files have been applied.
CREATE TABLE hallpass.migrations (
    version int NOT NULL PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
);

-- One row a token. What is compared, ordered and searched has the collation "C": the same order whatever
-- the database's own is, and whatever the operating system makes of that.
-- Times are to the millisecond; -infinity is whatever was before the year 1.
CREATE TABLE hallpass.tokens (
    id uuid NOT NULL PRIMARY KEY,
    owner text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    description text COLLATE "C" NOT NULL,
    -- Name and description in lower case, where that is more than lower() makes of them: with the
    -- collation "C" it knows the letters A to Z. NULL for nearly all.
    name_key text COLLATE "C",
    description_key text COLLATE "C",
    scopes text[] COLLATE "C" NOT NULL,
    -- The host's own JSON object about the token; empty for none.
    metadata text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz,
    regenerated_at timestamptz,
    revision bigint NOT NULL,
    -- Digests of secrets, and how they were made. No secret is ever sent here.
    algorithm text NOT NULL,
    digest bytea NOT NULL,
    previous_algorithm text,
    previous_digest bytea,
    previous_until timestamptz,
    CHECK (
        (previous_algorithm IS NULL) = (previous_digest IS NULL)
        AND (previous_digest IS NULL) = (previous_until IS NULL)
    )
) WITH (fillfactor = 95); -- Room to note a use on the same page, so that no index has to be told.

-- An owner's tokens: the limit counts them, lists show them. Of many with the same owner the owner is
-- stored once; to sort a person's tokens costs nothing beside that.
CREATE INDEX tokens_by_owner ON hallpass.tokens (owner);
-- An admin's list of everybody's tokens, in the order it has by default. Those of one millisecond are
-- few: the server sorts them by their ids as it comes by.
CREATE INDEX tokens_by_creation ON hallpass.tokens (created_at);
-- What prune looks for. Most tokens are neither revoked nor bound to end, so most are in neither.
CREATE INDEX tokens_by_expiry ON hallpass.tokens (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX tokens_by_revocation ON hallpass.tokens (revoked_at) WHERE revoked_at IS NOT NULL;

-- The number of the last change, and the nonce drawn with it. One row, which every change locks last
-- and until it commits: number order is commit order. Most of the page stays free, so that its
-- updates never leave it.
CREATE TABLE hallpass.clock (
    single boolean NOT NULL PRIMARY KEY DEFAULT true CHECK (single),
    seq bigint NOT NULL,
    nonce bigint NOT NULL
) WITH (fillfactor = 10);

INSERT INTO hallpass.clock (seq, nonce)
VALUES (0, ('x' || encode(substring(decode(replace(gen_random_uuid()::text, '-', ''), 'hex') FROM 9), 'hex'))::bit(64)::bigint & 9223372036854775807);

-- The change log, which is also the audit trail: each change writes its entry in its own transaction.
-- Caches follow it by number; auditors search it.
CREATE TABLE hallpass.changes (
    seq bigint NOT NULL PRIMARY KEY,
    nonce bigint NOT NULL,
    -- What the change invalidates in a cache.
    target text NOT NULL CHECK (target IN ('none', 'token', 'owner', 'all')),
    at timestamptz NOT NULL,
    -- What happened, who did it, whose tokens and which token it is about.
    kind text NOT NULL,
    actor text COLLATE "C",
    owner text COLLATE "C" CHECK (owner IS NOT NULL OR target NOT IN ('token', 'owner')),
    token_id uuid CHECK (token_id IS NOT NULL OR target <> 'token'),
    -- How many tokens were changed.
    count bigint NOT NULL,
    -- Origin and changed fields as JSON; empty for none.
    details text NOT NULL
);

-- The audit trail of one token and of one owner.
CREATE INDEX changes_by_token ON hallpass.changes (token_id, seq) WHERE token_id IS NOT NULL;
CREATE INDEX changes_by_owner ON hallpass.changes (owner, seq) WHERE owner IS NOT NULL;

INSERT INTO hallpass.migrations (version) VALUES (1);
