-- The first schema of Hallpass, in a PostgreSQL schema of its own. A service applies it when it starts.
-- With other tools: psql --single-transaction --set ON_ERROR_STOP=1 --file 0001_tokens.sql

-- Not CREATE SCHEMA IF NOT EXISTS: that needs the right to create a schema even if it exists.
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

-- One row per token. Columns that are compared, ordered or searched have the collation "C", so that
-- the order does not depend on the database's locale or on the operating system.
-- Times have millisecond precision. PostgreSQL's years begin at -4713: -infinity stands for every time
-- before that.
CREATE TABLE hallpass.tokens (
    id uuid NOT NULL PRIMARY KEY,
    owner text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    description text COLLATE "C" NOT NULL,
    -- Name and description as they are searched, if lower() does not compute that: with the
    -- collation "C" it only changes the letters A to Z. NULL for nearly all tokens.
    name_key text COLLATE "C",
    description_key text COLLATE "C",
    scopes text[] COLLATE "C" NOT NULL,
    -- A JSON object, or empty. Not jsonb, which cannot hold every JSON text (\u0000) and changes numbers.
    metadata text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz,
    regenerated_at timestamptz,
    revision bigint NOT NULL,
    -- Digests of the secrets, and the algorithms that made them. No secret is ever stored or sent.
    algorithm text NOT NULL,
    digest bytea NOT NULL,
    previous_algorithm text,
    previous_digest bytea,
    previous_until timestamptz,
    CHECK (
        (previous_algorithm IS NULL) = (previous_digest IS NULL)
        AND (previous_digest IS NULL) = (previous_until IS NULL)
    )
) WITH (fillfactor = 95); -- Free space on each page lets last_used_at change without touching the indexes.

-- The limit counts an owner's tokens, and lists show them.
CREATE INDEX tokens_by_owner ON hallpass.tokens (owner);
-- The default order of the list of everybody's tokens. The server sorts the few tokens of one
-- millisecond by id while it reads them.
CREATE INDEX tokens_by_creation ON hallpass.tokens (created_at);
-- Pruning looks for these. Most tokens neither expire nor are revoked, so these indexes are small.
CREATE INDEX tokens_by_expiry ON hallpass.tokens (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX tokens_by_revocation ON hallpass.tokens (revoked_at) WHERE revoked_at IS NOT NULL;

-- The number of the newest log entry, and its nonce. Every change locks this one row as its last step
-- and keeps it locked until it commits, so sequence order is commit order. Most of the page stays
-- free, so that updates never leave it.
CREATE TABLE hallpass.clock (
    single boolean NOT NULL PRIMARY KEY DEFAULT true CHECK (single),
    seq bigint NOT NULL,
    nonce bigint NOT NULL
) WITH (fillfactor = 10);

INSERT INTO hallpass.clock (seq, nonce)
VALUES (0, ('x' || encode(substring(decode(replace(gen_random_uuid()::text, '-', ''), 'hex') FROM 9), 'hex'))::bit(64)::bigint & 9223372036854775807);

-- The change log, which caches follow and auditors read. Entries have the numbers 1, 2, 3 and so on,
-- without gaps. A row with a negative number is not an entry: it withdraws a change whose answer was
-- lost. The unique nonce makes that change fail if it reaches the server later.
CREATE TABLE hallpass.changes (
    seq bigint NOT NULL PRIMARY KEY,
    nonce bigint NOT NULL UNIQUE,
    -- What a cache must invalidate.
    target text NOT NULL CHECK (target IN ('none', 'token', 'owner', 'all')),
    at timestamptz NOT NULL,
    kind text NOT NULL,
    actor text COLLATE "C",
    owner text COLLATE "C" CHECK (owner IS NOT NULL OR target NOT IN ('token', 'owner')),
    token_id uuid CHECK (token_id IS NOT NULL OR target <> 'token'),
    -- How many tokens the change was about.
    count bigint NOT NULL,
    -- A JSON object, or empty: where the request came from, and which fields changed.
    details text NOT NULL
);

-- Pages of the audit trail of one token or one owner, in order.
CREATE INDEX changes_by_token ON hallpass.changes (token_id, seq) WHERE token_id IS NOT NULL;
CREATE INDEX changes_by_owner ON hallpass.changes (owner, seq) WHERE owner IS NOT NULL;

-- All parts of one statement see one snapshot, which is older than any lock that the statement waits for.
-- In a VOLATILE function each statement takes a new snapshot, so these functions see what was committed
-- while they waited for the lock.

-- Waits for other transactions that lock this owner. The lock ends with the transaction.
CREATE FUNCTION hallpass.lock_owner(of_owner text) RETURNS void VOLATILE LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(1213227379, hashtext(of_owner));
END
$$;

-- Returns whether the token exists.
CREATE FUNCTION hallpass.has_token(of_id uuid) RETURNS boolean VOLATILE LANGUAGE plpgsql AS $$
BEGIN
    RETURN EXISTS (SELECT FROM hallpass.tokens WHERE id = of_id);
END
$$;

-- Locks the owner. Returns how many tokens the owner has.
CREATE FUNCTION hallpass.lock_and_count(of_owner text) RETURNS bigint VOLATILE LANGUAGE plpgsql AS $$
BEGIN
    PERFORM hallpass.lock_owner(of_owner);
    RETURN (SELECT count(*) FROM hallpass.tokens WHERE owner = of_owner);
END
$$;

-- Locks the owner, then revokes the owner's tokens: those whose secret was issued before that time, or all
-- of them if it is NULL. Returns how many it revoked.
-- Whoever locks several tokens does so in the order of their ids, so that no two wait for each other.
CREATE FUNCTION hallpass.revoke_owner(of_owner text, issued_before timestamptz, revoked timestamptz)
RETURNS bigint VOLATILE LANGUAGE plpgsql AS $$
DECLARE
    total bigint;
BEGIN
    PERFORM hallpass.lock_owner(of_owner);
    WITH held AS (
        SELECT id FROM hallpass.tokens
        WHERE owner = of_owner AND revoked_at IS NULL
            AND (issued_before IS NULL OR coalesce(regenerated_at, created_at) < issued_before)
        ORDER BY id FOR UPDATE
    ), done AS (
        UPDATE hallpass.tokens AS t SET revoked_at = revoked, revision = t.revision + 1
        WHERE t.id = ANY (ARRAY(SELECT id FROM held)) AND t.revoked_at IS NULL RETURNING 1
    )
    SELECT count(*) INTO total FROM done;
    RETURN total;
END
$$;

-- Locks the owner, then deletes all of the owner's tokens. Returns how many it deleted.
CREATE FUNCTION hallpass.delete_owner(of_owner text) RETURNS bigint VOLATILE LANGUAGE plpgsql AS $$
DECLARE
    total bigint;
BEGIN
    PERFORM hallpass.lock_owner(of_owner);
    WITH held AS (
        SELECT id FROM hallpass.tokens WHERE owner = of_owner ORDER BY id FOR UPDATE
    ), done AS (
        DELETE FROM hallpass.tokens AS t WHERE t.id = ANY (ARRAY(SELECT id FROM held)) RETURNING 1
    )
    SELECT count(*) INTO total FROM done;
    RETURN total;
END
$$;

INSERT INTO hallpass.migrations (version) VALUES (1);
