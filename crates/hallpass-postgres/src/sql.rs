//! The statements, but for those of [lists](crate::list), which are put together.
//!
//! Numbered places take the values of [`Script`](crate::literal::Script), or are bound where a
//! statement is prepared.

/// A time in milliseconds since 1970; -infinity is the smallest number there is. Nobody writes the
/// other infinity.
///
/// Not `extract`, whose decimal numbers take longer: a double tells milliseconds apart in any year
/// there is.
macro_rules! millis {
    ($column:literal) => {
        concat!(
            "CASE t.",
            $column,
            " WHEN '-infinity' THEN (-9223372036854775808)::int8 WHEN 'infinity' THEN 9223372036854775807 \
             ELSE (date_part('epoch', t.",
            $column,
            ") * 1000)::int8 END AS ",
            $column
        )
    };
}

/// The columns of a record, which [`row::record`](crate::row::record) reads.
macro_rules! record_columns {
    () => {
        concat!(
            "t.id::text AS id, t.owner, t.name, t.description, array_to_string(t.scopes, ' ') AS scopes, ",
            millis!("created_at"),
            ", ",
            millis!("expires_at"),
            ", ",
            millis!("last_used_at"),
            ", ",
            millis!("revoked_at"),
            ", ",
            millis!("regenerated_at"),
            ", t.metadata, ",
            millis!("previous_until"),
            ", t.revision"
        )
    };
}

/// How the changed tokens, which `done` holds, are logged, a line each. `$1` are the nonces.
///
/// The clock is asked for how many there are, and so its row is locked when all else is done and
/// locked.
macro_rules! log_tokens {
    () => {
        "counted AS (SELECT count(*) AS n FROM done), \
         ticked AS (UPDATE hallpass.clock SET seq = seq + n, nonce = ($1)[n::int] \
             FROM counted WHERE n > 0 RETURNING seq - n AS before), \
         logged AS (INSERT INTO hallpass.changes \
                 (seq, nonce, target, at, kind, actor, owner, token_id, count, details) \
             SELECT before + place, ($1)[place::int], 'token', $101, $102, $103, COALESCE($104, owner), id, $106, $107 \
             FROM ticked, (SELECT id, owner, row_number() OVER (ORDER BY id) AS place FROM done) AS placed \
             RETURNING seq, token_id AS token, owner, NULL::bigint AS tokens) "
    };
}

/// What a change answers: its lines of the log, which [`row::line`](crate::row::line) reads.
macro_rules! lines {
    () => {
        "SELECT seq, token::text AS token, owner, tokens FROM "
    };
}

/// Writes one log entry for a change to the tokens that `counted` counts. `$1` are the nonces, and
/// the values of the event are in `$101` to `$107`.
macro_rules! log_bulk {
    ($target:literal) => {
        concat!(
            "logged AS (INSERT INTO hallpass.changes \
                 (seq, nonce, target, at, kind, actor, owner, token_id, count, details) \
             SELECT seq, ($1)[1], '",
            $target,
            "', $101, $102, $103, $104, $105, n, $107 FROM ticked \
             RETURNING seq, NULL::uuid AS token, owner, count AS tokens) "
        )
    };
}

/// Locks tokens in the order of their ids, as everybody does who locks several, changes them, and
/// writes one log entry if there were any.
macro_rules! change_many {
    ($target:literal, $held:literal, $done:literal) => {
        concat!(
            "WITH held AS (SELECT id FROM hallpass.tokens WHERE ",
            $held,
            "), done AS (",
            $done,
            "), counted AS (SELECT count(*) AS n FROM done), \
             ticked AS (UPDATE hallpass.clock SET seq = seq + 1, nonce = ($1)[1] \
                 FROM counted WHERE n > 0 RETURNING seq, n), ",
            log_bulk!($target),
            lines!(),
            "logged"
        )
    };
}

/// The token, and how far the log had come: one statement and so one snapshot.
///
/// The log's last line says what the clock says, and is found at once whatever somebody's long
/// transaction keeps of the clock's earlier states. A standby says that it is one: it may be behind
/// by any time.
pub(crate) const FIND: &str = concat!(
    "SELECT COALESCE((SELECT seq FROM hallpass.changes ORDER BY seq DESC LIMIT 1), 0) AS seq, ",
    "pg_is_in_recovery() AS standby, ",
    record_columns!(),
    ", t.algorithm, t.digest, t.previous_algorithm, t.previous_digest \
     FROM (VALUES (1)) AS one LEFT JOIN hallpass.tokens AS t ON t.id = $1::uuid"
);

/// Begins a page: what [`list`](crate::list) puts filters and an order to.
///
/// The server gives up when nobody waits any more, and does not spend longer on compiling a search
/// than on searching.
pub(crate) const LIST: &str = concat!(
    "SET LOCAL statement_timeout = 2000; SET LOCAL jit = off; WITH page AS (SELECT ",
    record_columns!(),
    " FROM hallpass.tokens AS t WHERE true"
);

/// Begins the count of all that a list's filters match.
pub(crate) const COUNT: &str = "SELECT \
     count(*) FILTER (WHERE t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > $1)) AS active, \
     count(*) FILTER (WHERE t.revoked_at IS NULL AND t.expires_at <= $1) AS expired, \
     count(*) FILTER (WHERE t.revoked_at IS NOT NULL) AS revoked, \
     COALESCE((SELECT seq FROM hallpass.changes ORDER BY seq DESC LIMIT 1), 0) AS as_of \
     FROM hallpass.tokens AS t WHERE true";

/// Finds each of several tokens by its key, however many there are: left to itself, the server
/// reads the whole table from some share of it on, in time that depends on how many tokens others
/// have. What cannot be had otherwise, such as the one row of the clock, then seems so dear to it
/// that it would compile the statement first, for a second.
macro_rules! by_key {
    () => {
        "SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; \
         SET LOCAL jit = off; "
    };
}

/// Starts a change. Nothing is lost of what the server answered, and nobody waits for long.
///
/// The number of the transaction is drawn at once: by it the outcome is found out if the connection
/// is lost. Where a change is synced to more than one disk, that stays so.
pub(crate) const BEGIN: &str = concat!(
    "BEGIN ISOLATION LEVEL READ COMMITTED; ",
    by_key!(),
    "SET LOCAL lock_timeout = 800; SET LOCAL statement_timeout = 1000; \
     SET LOCAL idle_in_transaction_session_timeout = 1000; \
     SELECT pg_current_xact_id()::text AS transaction, \
     COALESCE((SELECT seq FROM hallpass.changes ORDER BY seq DESC LIMIT 1), 0) AS head, \
     CASE WHEN current_setting('synchronous_commit') IN ('off', 'local', 'remote_write') \
     THEN set_config('synchronous_commit', 'on', true) END"
);

/// Waits for other changes to the same owner's tokens. A statement of its own before the change, so
/// that the change sees what they did.
pub(crate) const LOCK_OWNER: &str = "; SELECT pg_advisory_xact_lock(1213227379, hashtext($1))";

/// Goes behind a change.
pub(crate) const COMMIT: &str = "; COMMIT";

/// Tells those who listen, unless a later change has done so or will. Value: the change's last
/// nonce.
///
/// It goes behind [`COMMIT`], a transaction of its own: the clock is not held while the queue of
/// notifications is waited for, and a full queue does not undo the change.
pub(crate) const NOTIFY: &str = "; SET LOCAL lock_timeout = 100; SET LOCAL statement_timeout = 200; \
     SELECT pg_notify('hallpass', seq::text) FROM hallpass.clock WHERE nonce = $1";

/// What has become of a transaction. Value: its number.
pub(crate) const OUTCOME: &str = "SELECT pg_xact_status($1::xid8) AS outcome";

/// As [`OUTCOME`], on the connection that it ran on: what is left of it there is undone.
pub(crate) const OUTCOME_HERE: &str = "ROLLBACK; SELECT pg_xact_status($1::xid8) AS outcome";

/// The lines that a transaction logged. Values: its nonces, and how far the log was before.
pub(crate) const LOGGED: &str = concat!(
    lines!(),
    "(SELECT seq, CASE target WHEN 'token' THEN token_id END AS token, owner, \
         CASE WHEN target <> 'token' THEN count END AS tokens FROM hallpass.changes \
         WHERE seq > $2 AND nonce = ANY ($1)) AS logged ORDER BY seq"
);

/// Values: the nonces, the limit, and what [`row::record_literals`](crate::row::record_literals)
/// and [`row::secrets_literals`](crate::row::secrets_literals) write. A row without a number says
/// that the limit is reached.
pub(crate) const INSERT: &str = concat!(
    "WITH owned AS (SELECT CASE WHEN $2 IS NULL THEN 0 \
         ELSE (SELECT count(*) FROM hallpass.tokens WHERE owner = $4) END AS n), \
     done AS (INSERT INTO hallpass.tokens (id, owner, name, name_key, description, description_key, scopes, \
         created_at, expires_at, last_used_at, revoked_at, regenerated_at, revision, metadata, \
         algorithm, digest, previous_algorithm, previous_digest, previous_until) \
         SELECT $3, $4, $5, $6, $7, $8, string_to_array($9, ' '), $10, $11, $12, $13, $14, $15, $16, \
         $17, $18, $19, $20, $21 FROM owned WHERE $2 IS NULL OR n < $2 \
         ON CONFLICT (id) DO NOTHING RETURNING id, owner), ",
    log_tokens!(),
    lines!(),
    "logged UNION ALL SELECT NULL, NULL, NULL, n FROM owned WHERE n >= $2 \
     AND NOT EXISTS (SELECT FROM hallpass.tokens WHERE id = $3)"
);

/// Values: the nonces, the expected revision, the record and the secrets, and whether the secrets
/// change.
pub(crate) const CHANGE: &str = concat!(
    "WITH done AS (UPDATE hallpass.tokens SET owner = $4, name = $5, name_key = $6, description = $7, \
         description_key = $8, scopes = string_to_array($9, ' '), created_at = $10, expires_at = $11, \
         revoked_at = $13, regenerated_at = $14, revision = $15, metadata = $16 \
         WHERE id = $3 AND revision = $2 RETURNING id, owner), ",
    log_tokens!(),
    lines!(),
    "logged"
);

/// As [`CHANGE`], and the secrets too.
pub(crate) const CHANGE_ALL: &str = concat!(
    "WITH done AS (UPDATE hallpass.tokens SET owner = $4, name = $5, name_key = $6, description = $7, \
         description_key = $8, scopes = string_to_array($9, ' '), created_at = $10, expires_at = $11, \
         revoked_at = $13, regenerated_at = $14, revision = $15, metadata = $16, \
         algorithm = $17, digest = $18, previous_algorithm = $19, previous_digest = $20, previous_until = $21 \
         WHERE id = $3 AND revision = $2 RETURNING id, owner), ",
    log_tokens!(),
    lines!(),
    "logged"
);

/// Values: the nonces, the id, the expected digest, the secrets.
pub(crate) const REPLACE_DIGEST: &str = concat!(
    "WITH done AS (UPDATE hallpass.tokens SET \
         algorithm = $5, digest = $6, previous_algorithm = $7, previous_digest = $8, previous_until = $9 \
         WHERE id = $2 AND algorithm = $3 AND digest = $4 RETURNING id, owner), ",
    log_tokens!(),
    lines!(),
    "logged"
);

/// Values: the nonces, the id, the expected revision if any.
pub(crate) const DELETE: &str = concat!(
    "WITH done AS (DELETE FROM hallpass.tokens \
         WHERE id = $2 AND ($3 IS NULL OR revision = $3) RETURNING id, owner), ",
    log_tokens!(),
    lines!(),
    "logged"
);

/// Values: the nonces, the ids, the owner if any.
pub(crate) const DELETE_MANY: &str = concat!(
    "WITH held AS (SELECT id FROM hallpass.tokens WHERE id = ANY ($2) AND ($3 IS NULL OR owner = $3) \
         ORDER BY id FOR UPDATE), \
     done AS (DELETE FROM hallpass.tokens AS t USING held WHERE t.id = held.id RETURNING t.id, t.owner), ",
    log_tokens!(),
    lines!(),
    "logged ORDER BY seq"
);

/// Values: the nonces, the owner.
pub(crate) const DELETE_OWNER: &str = change_many!(
    "owner",
    "owner = $2 ORDER BY id FOR UPDATE",
    "DELETE FROM hallpass.tokens AS t USING held WHERE t.id = held.id RETURNING t.id"
);

/// Values: the nonces, the owner, the time, and before when a secret must have been issued, if it
/// matters.
pub(crate) const REVOKE_OWNER: &str = change_many!(
    "owner",
    "owner = $2 AND revoked_at IS NULL \
     AND ($4 IS NULL OR COALESCE(regenerated_at, created_at) < $4) ORDER BY id FOR UPDATE",
    "UPDATE hallpass.tokens AS t SET revoked_at = $3, revision = revision + 1 FROM held \
     WHERE t.id = held.id AND t.revoked_at IS NULL RETURNING t.id"
);

/// Values: the nonces, how many tokens at most, and then as in [`REVOKE_OWNER`].
pub(crate) const REVOKE_EVERYONE: &str = change_many!(
    "all",
    "revoked_at IS NULL AND ($4 IS NULL OR COALESCE(regenerated_at, created_at) < $4) \
     ORDER BY id LIMIT $2 FOR UPDATE",
    "UPDATE hallpass.tokens AS t SET revoked_at = $3, revision = revision + 1 FROM held \
     WHERE t.id = held.id AND t.revoked_at IS NULL RETURNING t.id"
);

/// Values: the nonces, how many tokens at most, and before when they must have ended. Tokens that
/// somebody has locked are left for the next time.
pub(crate) const PRUNE: &str = change_many!(
    "none",
    "id IN (SELECT id FROM hallpass.tokens WHERE expires_at < $3 ORDER BY expires_at LIMIT $2) \
     OR id IN (SELECT id FROM hallpass.tokens WHERE revoked_at < $3 ORDER BY revoked_at LIMIT $2) \
     ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED",
    "DELETE FROM hallpass.tokens AS t USING held \
     WHERE t.id = held.id AND (t.expires_at < $3 OR t.revoked_at < $3) RETURNING t.id"
);

/// Values: the nonces.
pub(crate) const LOG_OWNER_CHANGE: &str = concat!(
    "WITH ticked AS (UPDATE hallpass.clock SET seq = seq + 1, nonce = ($1)[1] \
         RETURNING seq, $106 AS n), ",
    log_bulk!("owner"),
    lines!(),
    "logged"
);

/// Whether an id is taken, and how many tokens an owner has.
pub(crate) const TAKEN: &str = "SELECT EXISTS (SELECT FROM hallpass.tokens WHERE id = $1::uuid) AS taken, \
     (SELECT count(*) FROM hallpass.tokens WHERE owner = $2) AS in_use";

/// Whether a token is there.
pub(crate) const EXISTS: &str =
    "SELECT EXISTS (SELECT FROM hallpass.tokens WHERE id = $1) AS found";

macro_rules! touch {
    ($skip:literal) => {
        concat!(
            by_key!(),
            "SET LOCAL lock_timeout = 300; SET LOCAL statement_timeout = 1000; \
             WITH used AS (SELECT id, revision, max(at) AS at FROM unnest($1, $2, $3) AS used (id, revision, at) \
                 GROUP BY id, revision), \
             held AS (SELECT t.id, used.at FROM hallpass.tokens AS t JOIN used ON t.id = used.id \
                 WHERE t.revision = used.revision AND (t.last_used_at IS NULL OR t.last_used_at < used.at) \
                 ORDER BY t.id FOR NO KEY UPDATE OF t",
            $skip,
            "), done AS (UPDATE hallpass.tokens AS t SET last_used_at = held.at FROM held \
                 WHERE t.id = held.id RETURNING 1) \
             SELECT count(*) AS moved FROM done"
        )
    };
}

/// Values: ids, revisions, times, as many of each. Of several uses of one token the latest counts.
///
/// Rows are locked in the order of their ids, so that two of these never wait for each other.
pub(crate) const RECORD_USES: &str = touch!("");

/// As [`RECORD_USES`], without the tokens that somebody keeps locked.
pub(crate) const RECORD_USES_FREE: &str = touch!(" SKIP LOCKED");

/// Deletes the oldest entries of the log, from the first one on and without a gap, whatever the
/// clock did when they were written. The last entry stays, because readers know their position by
/// it.
///
/// Values: before when an entry must have been written, and how many are deleted at most. If none
/// of the first thousand is old enough, none is looked at beyond.
pub(crate) const PRUNE_LOG: &str = "SET LOCAL lock_timeout = 300; SET LOCAL statement_timeout = 1200; \
     WITH done AS (DELETE FROM hallpass.changes WHERE \
     EXISTS (SELECT FROM (SELECT at FROM hallpass.changes ORDER BY seq LIMIT 1000) AS first WHERE at < $1) \
     AND seq <= (SELECT max(seq) FROM (SELECT seq, at FROM hallpass.changes ORDER BY seq LIMIT $2) AS oldest \
         WHERE at < $1) AND seq < (SELECT seq FROM hallpass.clock) RETURNING 1) \
     SELECT count(*) AS pruned FROM done";

/// Begins a page of the audit trail.
pub(crate) const AUDIT: &str = "SET LOCAL statement_timeout = 2000; SET LOCAL jit = off; \
     SELECT t.seq, (date_part('epoch', t.at) * 1000)::int8 AS at, t.kind, t.actor, t.owner, \
     t.token_id::text AS token, t.count, t.details FROM hallpass.changes AS t WHERE true";

/// The head of the log beside each of its lines, and alone if there is none: one statement and so
/// one snapshot. With the server's time, and whether it is a standby, which may not know the
/// latest.
///
/// `LIMIT 1` tells the planner that there is one clock. It takes a table without statistics for
/// thousands of rows, and a join with so many for worth compiling (JIT), which takes up to a
/// second.
pub(crate) const CHANGES: &str = "SELECT clock.seq AS head, clock.nonce AS head_nonce, \
     pg_is_in_recovery() AS standby, \
     (date_part('epoch', clock_timestamp()) * 1000)::int8 AS time, line.seq, line.nonce, line.target, line.token_id::text AS token, line.owner \
     FROM (SELECT seq, nonce FROM hallpass.clock LIMIT 1) AS clock LEFT JOIN \
     (SELECT * FROM hallpass.changes WHERE seq >= $1 ORDER BY seq LIMIT $2) AS line ON true ORDER BY line.seq";

pub(crate) const PING: &str = "SELECT seq FROM hallpass.clock";
