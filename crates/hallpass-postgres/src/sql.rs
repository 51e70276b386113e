//! The statements, but for those of [lists](crate::list), which are put together.
//!
//! Numbered places take the values of [`Script`](crate::literal::Script), or are bound where a statement
//! is prepared.

/// A time in milliseconds since 1970; -infinity is the smallest number there is. Nobody writes the other infinity.
///
/// Not `extract`, whose decimal numbers take longer: a double tells milliseconds apart in any year there is.
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
            ", t.revision"
        )
    };
}

/// How the changed tokens, which `done` holds, are logged, a line each. `$1` are the nonces.
///
/// The clock is asked for how many there are, and so its row is locked when all else is done and locked.
macro_rules! log_tokens {
    () => {
        "counted AS (SELECT count(*) AS n FROM done), \
         ticked AS (UPDATE hallpass.clock SET seq = seq + n, nonce = ($1)[n::int] \
             FROM counted WHERE n > 0 RETURNING seq - n AS before), \
         logged AS (INSERT INTO hallpass.changes (seq, nonce, kind, token, owner, at) \
             SELECT before + place, ($1)[place::int], 'token', id, owner, clock_timestamp() \
             FROM ticked, (SELECT id, owner, row_number() OVER (ORDER BY id) AS place FROM done) AS placed \
             RETURNING seq, token, owner, tokens) "
    };
}

/// How a change to those of an owner's tokens that `counted` counts is logged, in one line. `$1` are the
/// nonces, `$2` is the owner.
macro_rules! log_owner {
    () => {
        "logged AS (INSERT INTO hallpass.changes (seq, nonce, kind, owner, tokens, at) \
             SELECT seq, ($1)[1], 'owner', $2, n, clock_timestamp() FROM ticked \
             RETURNING seq, token, owner, tokens) "
    };
}

/// What a change answers: its lines of the log, which [`row::line`](crate::row::line) reads.
macro_rules! lines {
    () => {
        "SELECT seq, token::text AS token, owner, tokens FROM "
    };
}

/// A change to those of an owner's tokens that `$which` says. They are locked in the order of their ids, as by everybody
/// who locks several.
macro_rules! of_all_owners_tokens {
    ($which:literal, $done:literal) => {
        concat!(
            "WITH held AS (SELECT id FROM hallpass.tokens WHERE owner = $2",
            $which,
            " ORDER BY id FOR UPDATE), done AS (",
            $done,
            "), counted AS (SELECT count(*) AS n FROM done), \
             ticked AS (UPDATE hallpass.clock SET seq = seq + 1, nonce = ($1)[1] \
                 FROM counted WHERE n > 0 RETURNING seq, n), ",
            log_owner!(),
            lines!(),
            "logged"
        )
    };
}

/// The token, and how far the log had come: one statement and so one snapshot.
///
/// The log's last line says what the clock says, and is found at once whatever somebody's long transaction
/// keeps of the clock's earlier states. A standby says that it is one: it may be behind by any time.
pub(crate) const FIND: &str = concat!(
    "SELECT COALESCE((SELECT seq FROM hallpass.changes ORDER BY seq DESC LIMIT 1), 0) AS seq, ",
    "pg_is_in_recovery() AS standby, ",
    record_columns!(),
    ", t.algorithm, t.digest, t.previous_algorithm, t.previous_digest, ",
    millis!("previous_until"),
    " FROM (VALUES (1)) AS one LEFT JOIN hallpass.tokens AS t ON t.id = $1::uuid"
);

/// Begins a page: what [`list`](crate::list) puts filters and an order to.
///
/// The server gives up when nobody waits any more, and does not spend longer on compiling a search than on searching.
pub(crate) const LIST: &str = concat!(
    "SET LOCAL statement_timeout = 2000; SET LOCAL jit = off; WITH page AS (SELECT ",
    record_columns!(),
    " FROM hallpass.tokens AS t WHERE true"
);

/// Begins the count of all that a list's filters match.
pub(crate) const COUNT: &str = "SELECT count(*) AS total FROM hallpass.tokens AS t WHERE true";

/// Finds each of several tokens by its key, however many there are: left to itself, the server reads the whole table
/// from some share of it on, in time that depends on how many tokens others have. What cannot be had otherwise, such as
/// the one row of the clock, then seems so dear to it that it would compile the statement first, for a second.
macro_rules! by_key {
    () => {
        "SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; \
         SET LOCAL jit = off; "
    };
}

/// Starts a change. Nothing is lost of what the server answered, and nobody waits for long.
///
/// The number of the transaction is drawn at once: by it the outcome is found out if the connection is lost.
/// Where a change is synced to more than one disk, that stays so.
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

/// Waits for other changes to the same owner's tokens. A statement of its own before the change, so that the change
/// sees what they did.
pub(crate) const LOCK_OWNER: &str = "; SELECT pg_advisory_xact_lock(1213227379, hashtext($1))";

/// Goes behind a change.
pub(crate) const COMMIT: &str = "; COMMIT";

/// Tells those who listen, unless a later change has done so or will. Value: the change's last nonce.
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
pub(crate) const LOGGED: &str =
    concat!(lines!(), "hallpass.changes WHERE seq > $2 AND nonce = ANY ($1) ORDER BY seq");

/// Values: the nonces, the limit, and what [`row::record_literals`](crate::row::record_literals) and
/// [`row::secrets_literals`](crate::row::secrets_literals) write. A row without a number says that the limit is reached.
pub(crate) const INSERT: &str = concat!(
    "WITH owned AS (SELECT CASE WHEN $2 IS NULL THEN 0 \
         ELSE (SELECT count(*) FROM hallpass.tokens WHERE owner = $4) END AS n), \
     done AS (INSERT INTO hallpass.tokens (id, owner, name, name_key, description, description_key, scopes, \
         created_at, expires_at, last_used_at, revoked_at, regenerated_at, revision, \
         algorithm, digest, previous_algorithm, previous_digest, previous_until) \
         SELECT $3, $4, $5, $6, $7, $8, string_to_array($9, ' '), $10, $11, $12, $13, $14, $15, \
         $16, $17, $18, $19, $20 FROM owned WHERE $2 IS NULL OR n < $2 \
         ON CONFLICT (id) DO NOTHING RETURNING id, owner), ",
    log_tokens!(),
    lines!(),
    "logged UNION ALL SELECT NULL, NULL, NULL, n FROM owned WHERE n >= $2 \
     AND NOT EXISTS (SELECT FROM hallpass.tokens WHERE id = $3)"
);

/// Values: the nonces, the expected revision, the record and the secrets, and whether the secrets change.
pub(crate) const CHANGE: &str = concat!(
    "WITH done AS (UPDATE hallpass.tokens SET owner = $4, name = $5, name_key = $6, description = $7, \
         description_key = $8, scopes = string_to_array($9, ' '), created_at = $10, expires_at = $11, \
         revoked_at = $13, regenerated_at = $14, revision = $15 \
         WHERE id = $3 AND revision = $2 RETURNING id, owner), ",
    log_tokens!(),
    lines!(),
    "logged"
);

/// As [`CHANGE`], and the secrets too.
pub(crate) const CHANGE_ALL: &str = concat!(
    "WITH done AS (UPDATE hallpass.tokens SET owner = $4, name = $5, name_key = $6, description = $7, \
         description_key = $8, scopes = string_to_array($9, ' '), created_at = $10, expires_at = $11, \
         revoked_at = $13, regenerated_at = $14, revision = $15, \
         algorithm = $16, digest = $17, previous_algorithm = $18, previous_digest = $19, previous_until = $20 \
         WHERE id = $3 AND revision = $2 RETURNING id, owner), ",
    log_tokens!(),
    lines!(),
    "logged"
);

/// Values: the nonces, the id, the expected digest, the secrets.
pub(crate) const REKEY: &str = concat!(
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
pub(crate) const DELETE_OWNER: &str = of_all_owners_tokens!(
    "",
    "DELETE FROM hallpass.tokens AS t USING held WHERE t.id = held.id RETURNING t.id"
);

/// Values: the nonces, the owner, the time.
pub(crate) const REVOKE_OWNER: &str = of_all_owners_tokens!(
    " AND revoked_at IS NULL",
    "UPDATE hallpass.tokens AS t SET revoked_at = $3, revision = revision + 1 FROM held \
     WHERE t.id = held.id AND t.revoked_at IS NULL RETURNING t.id"
);

/// Values: the nonces, the owner.
pub(crate) const ANNOUNCE: &str = concat!(
    "WITH ticked AS (UPDATE hallpass.clock SET seq = seq + 1, nonce = ($1)[1] \
         RETURNING seq, 0::int8 AS n), ",
    log_owner!(),
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
pub(crate) const TOUCH: &str = touch!("");

/// As [`TOUCH`], without the tokens that somebody keeps locked.
pub(crate) const TOUCH_FREE: &str = touch!(" SKIP LOCKED");

/// Values: before when, how many at most. What somebody has locked is left for the next time.
pub(crate) const PRUNE: &str = concat!(
    by_key!(),
    "SET LOCAL lock_timeout = 300; SET LOCAL statement_timeout = 1200; \
     WITH expired AS (SELECT id FROM hallpass.tokens WHERE expires_at < $1 \
         ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED), \
     revoked AS (SELECT id FROM hallpass.tokens WHERE revoked_at < $1 \
         ORDER BY revoked_at LIMIT $2 FOR UPDATE SKIP LOCKED), \
     ended AS (SELECT id FROM expired UNION SELECT id FROM revoked LIMIT $2), \
     done AS (DELETE FROM hallpass.tokens AS t USING ended WHERE t.id = ended.id RETURNING 1) \
     SELECT count(*) AS pruned FROM done"
);

/// Lets the oldest lines of the log go, from the first on and without a gap, whatever the server's
/// clock did when they were written. The last line stays: readers know their place by it.
///
/// Values: how old a line must be, in hours, and how many go at most. If none of the first
/// thousand is so old, none is looked at beyond.
pub(crate) const TRIM: &str = "; DELETE FROM hallpass.changes WHERE \
     EXISTS (SELECT FROM (SELECT at FROM hallpass.changes ORDER BY seq LIMIT 1000) AS first \
         WHERE at < now() - make_interval(hours => $1::int)) \
     AND seq <= (SELECT max(seq) FROM (SELECT seq, at FROM hallpass.changes ORDER BY seq LIMIT $2) AS oldest \
         WHERE at < now() - make_interval(hours => $1::int)) AND seq < (SELECT seq FROM hallpass.clock)";

/// The head of the log beside each of its lines, and alone if there is none: one statement and so one
/// snapshot. With the server's time, and whether it is a standby, which may not know the latest.
///
/// `LIMIT 1` tells the planner that there is one clock. It takes a table without statistics for thousands of rows, and a
/// join with so many for worth compiling (JIT), which takes up to a second.
pub(crate) const CHANGES: &str = "SELECT clock.seq AS head, clock.nonce AS head_nonce, \
     pg_is_in_recovery() AS standby, \
     (date_part('epoch', clock_timestamp()) * 1000)::int8 AS time, line.seq, line.nonce, line.kind, line.token::text AS token, line.owner \
     FROM (SELECT seq, nonce FROM hallpass.clock LIMIT 1) AS clock LEFT JOIN \
     (SELECT * FROM hallpass.changes WHERE seq >= $1 ORDER BY seq LIMIT $2) AS line ON true ORDER BY line.seq";

pub(crate) const PING: &str = "SELECT seq FROM hallpass.clock";
