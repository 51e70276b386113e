//! The statements, apart from those that [`hallpass_sql`] builds.

use std::sync::LazyLock;

use hallpass_sql::{Dialect as _, EVENT_COLUMNS, RECORD_COLUMNS, SECRETS_COLUMNS, assignments};

use crate::dialect::PostgresDialect;

/// The columns that every change returns: see [`Line`](crate::change::Line).
const LINE: &str = "seq, uuid_send(token_id) AS token_id, owner, count";

/// The number of the first value that belongs to the statement itself. `$1` is the nonce, and the
/// values of the event follow it.
const OWN: usize = 2 + EVENT_COLUMNS.len();

// The statements below are written with this number.
const _: () = assert!(OWN == 10);

/// Builds the statement that makes a change and logs it.
///
/// A change is one statement, so it is one message, one transaction and one commit, and the clock's
/// row is locked only while the server works. `done` is the part that changes tokens. It starts
/// `FROM settings`, so that the settings apply before anything is locked, and ends with a common
/// table expression `done` with the columns `id`, `owner` and `count`, one row for each log entry.
/// They fill in the token and owner that the event lacks, and they replace its count.
///
/// The clock's row is locked last: how far it moves depends on the complete result of `done`. Its
/// lock lasts until the commit, so the order of numbers is the order of commits.
///
/// `rejected` may select one more row, without a number, with the reason why nothing was changed.
fn change(done: &str, rejected: &str) -> String {
    let events: Vec<_> = EVENT_COLUMNS
        .iter()
        .zip(2..)
        .map(|(column, number)| match *column {
            "owner" => format!("coalesce(${number}, done.owner)"),
            "token_id" => format!("coalesce(done.id, ${number})"),
            "count" => format!("coalesce(done.count, ${number})"),
            _ => format!("${number}"),
        })
        .collect();
    format!(
        "WITH settings AS MATERIALIZED (SELECT set_config('lock_timeout', '800', true), {SYNCED}), \
         {done}, \
         counted AS (SELECT count(*) AS n FROM done), \
         ticked AS (UPDATE hallpass.clock SET seq = seq + n, nonce = $1 + n - 1 \
         FROM counted WHERE single AND n > 0 RETURNING seq - n AS before), \
         logged AS (INSERT INTO hallpass.changes (seq, nonce, {columns}) \
         SELECT before + place, $1 + place - 1, {events} FROM ticked CROSS JOIN \
         (SELECT *, row_number() OVER (ORDER BY id) AS place FROM done) AS done \
         RETURNING seq, token_id, owner, count) \
         SELECT {LINE} FROM logged {rejected} ORDER BY seq",
        columns = EVENT_COLUMNS.join(", "),
        events = events.join(", "),
    )
}

/// Makes the commit wait for the disk, and for the synchronous standbys if there are any, even if
/// the role's default does not. A stronger default stays.
const SYNCED: &str = "CASE WHEN current_setting('synchronous_commit') IN \
     ('off', 'local', 'remote_write') THEN set_config('synchronous_commit', 'on', true) END";

/// The columns of `done` for a change of single tokens.
const EACH: &str = "RETURNING t.id, t.owner, NULL::bigint AS count";

/// `done` for a change of many tokens that is one log entry. `changed` has a column `n`.
const IN_TOTAL: &str =
    "done AS (SELECT NULL::uuid AS id, NULL::text AS owner, n AS count FROM changed WHERE n > 0)";

/// Reports that the token exists, but not in the expected state. The function sees the changes that
/// were committed while `done` waited for the token.
const IS_THERE: &str =
    "UNION ALL SELECT NULL, NULL, NULL, 1 FROM counted WHERE n = 0 AND hallpass.has_token($10)";

/// Reads a token and the position of the log, in one statement and so in one snapshot. `$1` is the
/// id. A standby reports that it is one, because it may lag behind by any amount of time.
pub(crate) static GET: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT clock.seq AS as_of, pg_is_in_recovery() AS standby, {}, t.algorithm, t.digest, \
         t.previous_algorithm, t.previous_digest \
         FROM {} AS clock LEFT JOIN hallpass.tokens AS t ON t.id = $1",
        PostgresDialect::RECORD,
        PostgresDialect::CLOCK
    )
});

/// The values are those of the record, those of the secrets, `last_used_at`, and the limit or NULL.
/// If the limit is reached, the row without a number has the owner's count.
pub(crate) static INSERT: LazyLock<String> = LazyLock::new(|| {
    let columns = [&RECORD_COLUMNS[..], &SECRETS_COLUMNS, &["last_used_at"]].concat();
    let placeholders: Vec<_> =
        columns.iter().zip(OWN..).map(|(column, number)| placeholder(column, number)).collect();
    let (columns, placeholders) = (columns.join(", "), placeholders.join(", "));
    let limit = OWN + RECORD_COLUMNS.len() + SECRETS_COLUMNS.len() + 1;
    let done = format!(
        "owned AS MATERIALIZED (SELECT hallpass.lock_and_count($11) AS n FROM settings), \
         done AS (INSERT INTO hallpass.tokens AS t ({columns}) SELECT {placeholders} FROM owned \
         WHERE ${limit} IS NULL OR n < ${limit} ON CONFLICT (id) DO NOTHING {EACH})"
    );
    let rejected = format!(
        "UNION ALL SELECT NULL, NULL, NULL, n FROM owned WHERE n >= ${limit} \
         AND NOT EXISTS (SELECT FROM hallpass.tokens WHERE id = $10)"
    );
    change(&done, &rejected)
});

/// The values are those of the record, with the new revision last.
///
/// It waits for other changes of the owner's tokens, because it may make a revoked token active
/// again, and then it must come either before or after a change that revokes all of them.
pub(crate) static UPDATE: LazyLock<String> =
    LazyLock::new(|| update(&RECORD_COLUMNS, LOCKED, "locked"));

/// The statement [`UPDATE`], followed by the secrets.
pub(crate) static UPDATE_WITH_SECRETS: LazyLock<String> =
    LazyLock::new(|| update(&[&RECORD_COLUMNS[..], &SECRETS_COLUMNS].concat(), LOCKED, "locked"));

/// The statement [`UPDATE`] for a change that makes no revoked token active. It does not wait for
/// the owner.
pub(crate) static REVOKE: LazyLock<String> =
    LazyLock::new(|| update(&RECORD_COLUMNS, "", "settings"));

const LOCKED: &str =
    "locked AS MATERIALIZED (SELECT hallpass.lock_owner($11) AS locked FROM settings), ";

fn update(columns: &[&str], before: &str, source: &str) -> String {
    let assignments = assignments(&columns[1..], OWN + 1, placeholder);
    let revision = OWN + RECORD_COLUMNS.len() - 1;
    let done = format!(
        "{before}done AS (UPDATE hallpass.tokens AS t SET {assignments} FROM {source} \
         WHERE t.id = $10 AND t.revision = ${revision} - 1 {EACH})"
    );
    change(&done, IS_THERE)
}

/// The values are the id, the expected algorithm and digest, and the secrets.
pub(crate) static REPLACE_DIGEST: LazyLock<String> = LazyLock::new(|| {
    let assignments = assignments(&SECRETS_COLUMNS, OWN + 3, placeholder);
    let done = format!(
        "done AS (UPDATE hallpass.tokens AS t SET {assignments} FROM settings \
         WHERE t.id = $10 AND t.algorithm = $11 AND t.digest = $12 {EACH})"
    );
    change(&done, IS_THERE)
});

/// The values are the id, and the expected revision or NULL.
pub(crate) static DELETE: LazyLock<String> = LazyLock::new(|| {
    let done = format!(
        "done AS (DELETE FROM hallpass.tokens AS t USING settings \
         WHERE t.id = $10 AND ($11 IS NULL OR t.revision = $11) {EACH})"
    );
    change(&done, IS_THERE)
});

/// The values are the ids, separated by spaces, and the owner or NULL.
///
/// The planner cannot estimate how many ids an `ARRAY(SELECT ...)` has. So it finds each id by the
/// key and never reads the whole table, whose size depends on the tokens of other owners.
pub(crate) static DELETE_MANY: LazyLock<String> = LazyLock::new(|| {
    let done = format!(
        "held AS (SELECT t.id FROM settings CROSS JOIN hallpass.tokens AS t \
         WHERE t.id = ANY (ARRAY(SELECT unnest(string_to_array($10, ' '))::uuid)) \
         AND ($11 IS NULL OR t.owner = $11) ORDER BY t.id FOR UPDATE OF t), \
         done AS (DELETE FROM hallpass.tokens AS t WHERE t.id = ANY (ARRAY(SELECT id FROM held)) {EACH})"
    );
    change(&done, "")
});

/// The value is the owner.
pub(crate) static DELETE_OWNER: LazyLock<String> = LazyLock::new(|| {
    let changed = "changed AS (SELECT hallpass.delete_owner($10) AS n FROM settings)";
    change(&format!("{changed}, {IN_TOTAL}"), "")
});

/// The values are the owner, the time before which the secret was issued or NULL, and the time of
/// the revocation.
pub(crate) static REVOKE_OWNER: LazyLock<String> = LazyLock::new(|| {
    let changed = "changed AS (SELECT hallpass.revoke_owner($10, $11, $12) AS n FROM settings)";
    change(&format!("{changed}, {IN_TOTAL}"), "")
});

/// The values are the limit, the time before which the secret was issued or NULL, and the time of
/// the revocation.
pub(crate) static REVOKE_EVERYONE: LazyLock<String> = LazyLock::new(|| {
    let revoked = "held AS (SELECT t.id FROM settings CROSS JOIN hallpass.tokens AS t \
         WHERE t.revoked_at IS NULL AND ($11 IS NULL OR coalesce(t.regenerated_at, t.created_at) < $11) \
         ORDER BY t.id LIMIT $10 FOR UPDATE OF t), \
         revoked AS (UPDATE hallpass.tokens AS t SET revoked_at = $12, revision = t.revision + 1 \
         WHERE t.id = ANY (ARRAY(SELECT id FROM held)) AND t.revoked_at IS NULL RETURNING 1), \
         changed AS (SELECT count(*) AS n FROM revoked)";
    change(&format!("{revoked}, {IN_TOTAL}"), "")
});

/// The values are the limit, and the time before which the tokens ended. Tokens that another
/// transaction has locked are left for the next call.
pub(crate) static PRUNE: LazyLock<String> = LazyLock::new(|| {
    let pruned = "ended AS ((SELECT id FROM hallpass.tokens WHERE expires_at < $11 \
         ORDER BY expires_at LIMIT $10) UNION \
         (SELECT id FROM hallpass.tokens WHERE revoked_at < $11 ORDER BY revoked_at LIMIT $10)), \
         held AS (SELECT t.id FROM settings CROSS JOIN hallpass.tokens AS t \
         WHERE t.id = ANY (ARRAY(SELECT id FROM ended)) AND (t.expires_at < $11 OR t.revoked_at < $11) \
         ORDER BY t.id LIMIT $10 FOR UPDATE OF t SKIP LOCKED), \
         pruned AS (DELETE FROM hallpass.tokens AS t WHERE t.id = ANY (ARRAY(SELECT id FROM held)) \
         RETURNING 1), \
         changed AS (SELECT count(*) AS n FROM pruned)";
    change(&format!("{pruned}, {IN_TOTAL}"), "")
});

/// Changes no token.
pub(crate) static LOG_OWNER_CHANGE: LazyLock<String> = LazyLock::new(|| {
    let done = "done AS (SELECT NULL::uuid AS id, NULL::text AS owner, NULL::bigint AS count \
         FROM settings)";
    change(done, "")
});

/// Writes the placeholder of a column's value.
fn placeholder(column: &str, number: usize) -> String {
    match column {
        "scopes" => format!("string_to_array(${number}, ' ')"),
        _ => format!("${number}"),
    }
}

/// Withdraws a change that may or may not have reached the server. `$1` is its nonce.
///
/// The nonce is unique, so only one of the two can commit: this row or the change. If the change is
/// still running, this statement waits for its end. If the change has committed, it does nothing.
pub(crate) const WITHDRAW: &str = "WITH settings AS MATERIALIZED \
     (SELECT set_config('lock_timeout', '300', true)) \
     INSERT INTO hallpass.changes (seq, nonce, target, at, kind, count, details) \
     SELECT -1 - $1, $1, 'none', now(), 'withdrawn', 0, '' FROM settings \
     ON CONFLICT (nonce) DO NOTHING";

/// Reads the entries that a change logged, or the row that withdrew it. `$1` is its nonce, and `$2`
/// is the maximum number of its entries.
pub(crate) const OUTCOME: &str = "SELECT seq, uuid_send(token_id) AS token_id, owner, count \
     FROM hallpass.changes WHERE nonce BETWEEN $1 AND $1 + $2 - 1 ORDER BY seq";

/// Notifies listeners of a change, unless a later change has notified them or will do so. `$1` is
/// the nonce of its last entry.
pub(crate) const NOTIFY: &str =
    "SELECT pg_notify('hallpass', seq::text) FROM hallpass.clock WHERE single AND nonce = $1";

macro_rules! record_uses {
    ($skip:literal) => {
        concat!(
            "WITH held AS (SELECT t.id, used.at FROM (SELECT id, revision, max(at) AS at \
             FROM unnest($1, $2, $3) AS used (id, revision, at) \
             GROUP BY id, revision ORDER BY id) AS used CROSS JOIN LATERAL \
             (SELECT id FROM hallpass.tokens AS t \
             WHERE t.id = used.id AND t.revision = used.revision \
             AND (t.last_used_at IS NULL OR t.last_used_at < used.at) FOR NO KEY UPDATE",
            $skip,
            ") AS t), done AS (UPDATE hallpass.tokens AS t SET last_used_at = held.at FROM held \
             WHERE t.id = held.id RETURNING 1) \
             SELECT count(*) AS total FROM done"
        )
    };
}

/// The values are ids, revisions and times, as many of each. Of several uses of one token, the
/// latest counts. Rows are locked in the order of their ids, so that two of these statements never
/// wait for each other.
///
/// The server cannot estimate the number of uses, so an ordinary join may compare each use with
/// each token. With `LATERAL`, the server finds each token by its key.
pub(crate) const RECORD_USES: &str = record_uses!("");

/// The statement [`RECORD_USES`] without the tokens that another transaction has locked.
pub(crate) const RECORD_USES_UNLOCKED: &str = record_uses!(" SKIP LOCKED");

/// Deletes the oldest entries of the log, from the first one on and without a gap, even if the
/// server's clock was wrong when some were written. The newest entry stays, because followers
/// compare its nonce with that of their position. Old withdrawals are deleted too.
///
/// `$1` is the time before which an entry was written, and `$2` the limit. If none of the first
/// thousand is old enough, nothing beyond them is read.
pub(crate) const PRUNE_LOG: &str = "WITH withdrawn AS \
     (DELETE FROM hallpass.changes WHERE seq < 0 AND at < $1), \
     done AS (DELETE FROM hallpass.changes WHERE seq > 0 \
     AND EXISTS (SELECT FROM (SELECT at FROM hallpass.changes WHERE seq > 0 ORDER BY seq LIMIT 1000) AS first \
         WHERE at < $1) \
     AND seq <= (SELECT max(seq) FROM \
         (SELECT seq, at FROM hallpass.changes WHERE seq > 0 ORDER BY seq LIMIT $2) AS oldest WHERE at < $1) \
     AND seq < (SELECT seq FROM hallpass.clock WHERE single) RETURNING 1) \
     SELECT count(*) AS total FROM done";

/// Returns the entries, each together with the newest position, or only the newest position if
/// there are none. It is one statement, so all rows are from the same snapshot. `$1` is the first
/// number and `$2` the limit. Each row also has the server's time, and whether the server is a
/// standby, which may lack the newest entries.
pub(crate) const CHANGES: &str = "SELECT clock.seq AS head, clock.nonce AS head_nonce, \
     pg_is_in_recovery() AS standby, (date_part('epoch', clock_timestamp()) * 1000)::int8 AS time, \
     entry.seq, entry.nonce, entry.target, uuid_send(entry.token_id) AS token_id, entry.owner \
     FROM (SELECT seq, nonce FROM hallpass.clock WHERE single) AS clock LEFT JOIN \
     (SELECT * FROM hallpass.changes WHERE seq >= $1 ORDER BY seq LIMIT $2) AS entry ON true \
     ORDER BY entry.seq";

/// Reads the clock's row, and whether the server is a standby.
pub(crate) const PING: &str =
    "SELECT pg_is_in_recovery() AS standby FROM hallpass.clock WHERE single";

/// Reads the schema that a connection of the host leads to, and a setting that a change overwrites.
pub(crate) const HOST: &str = "SELECT current_setting('lock_timeout') AS lock_timeout, \
     (date_part('epoch', min(applied_at)) * 1000000)::int8 AS created FROM hallpass.migrations";

pub(crate) const RESTORE_LOCK_TIMEOUT: &str = "SELECT set_config('lock_timeout', $1, true)";
