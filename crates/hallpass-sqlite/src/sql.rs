//! The SQL statements, except for those that [`hallpass_sql`] builds.

use std::sync::LazyLock;

use hallpass_core::TokenId;
use hallpass_sql::{Dialect, EVENT_COLUMNS, RECORD_COLUMNS, SECRETS_COLUMNS, Value};
use jiff::Timestamp;
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, Sqlite};

/// A statement with its bound values.
pub(crate) type Statement<'q> = Query<'q, Sqlite, SqliteArguments>;

/// The dialect of SQLite.
#[derive(Debug)]
pub(crate) struct SqliteDialect;

impl Dialect for SqliteDialect {
    const TOKENS: &'static str = "hallpass_tokens AS t";
    const CLOCK: &'static str = "hallpass_clock";
    const CHANGES: &'static str = "hallpass_changes AS changes";
    const RECORD: &'static str = "t.id, t.owner, t.name, t.description, t.scopes, t.metadata, \
        t.created_at, t.expires_at, t.last_used_at, t.revoked_at, t.regenerated_at, \
        t.previous_until, t.revision";
    const ENTRY: &'static str = "seq, at, kind, actor, owner, token_id, count, details";

    fn value(number: usize, _: &Value) -> String {
        format!("?{number}")
    }

    fn contains(text: &str, part: &str) -> String {
        format!("instr({text}, {part}) > 0")
    }

    fn has_scope(scope: &str) -> String {
        format!("instr(' ' || t.scopes || ' ', ' ' || {scope} || ' ') > 0")
    }

    /// A column with a plus sign is an expression, for which SQLite uses no index.
    fn unindexed(column: &str) -> String {
        format!("+{column}")
    }
}

/// Prepares a statement that [`hallpass_sql`] has built.
pub(crate) fn built(statement: hallpass_sql::Statement) -> Statement<'static> {
    // The text consists of fixed parts and numbered placeholders: see `SqliteDialect::value`.
    bind_all(sqlx::query(AssertSqlSafe(statement.sql)), statement.values)
}

/// Binds values in order.
pub(crate) fn bind_all<'q>(
    statement: Statement<'q>,
    values: impl IntoIterator<Item = Value>,
) -> Statement<'q> {
    values.into_iter().fold(statement, |statement, value| match value {
        Value::Id(id) => statement.bind(id.map(id_bytes)),
        Value::Text(text) => statement.bind(text),
        Value::Integer(number) => statement.bind(number),
        Value::Time(time) => statement.bind(millis(time)),
        Value::Bytes(bytes) => statement.bind(bytes),
    })
}

/// Returns an id as SQLite stores it.
pub(crate) fn id_bytes(id: TokenId) -> Vec<u8> {
    id.as_uuid().as_bytes().to_vec()
}

/// Returns a time as SQLite stores it.
pub(crate) fn millis(time: Option<Timestamp>) -> Option<i64> {
    time.map(Timestamp::as_millisecond)
}

/// Reads a token and the sequence number of the log. It is one statement, so both are from the same
/// snapshot. `?1` is the id.
pub(crate) static GET: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT clock.seq AS as_of, {}, t.algorithm, t.digest, t.previous_algorithm, \
         t.previous_digest FROM hallpass_clock AS clock LEFT JOIN hallpass_tokens AS t ON t.id = ?1",
        SqliteDialect::RECORD
    )
});

pub(crate) const EXISTS: &str = "SELECT 1 FROM hallpass_tokens WHERE id = ?";

/// Reads whether an id is taken, and how many tokens an owner has.
pub(crate) const LIMIT: &str = "SELECT EXISTS (SELECT 1 FROM hallpass_tokens WHERE id = ?) AS taken, \
     (SELECT count(*) FROM hallpass_tokens WHERE owner = ?) AS in_use";

/// Inserts a token. The values are those of the record, those of the secrets, and `last_used_at`.
pub(crate) static INSERT: LazyLock<String> = LazyLock::new(|| {
    let (record, secrets) = (RECORD_COLUMNS.join(", "), SECRETS_COLUMNS.join(", "));
    let places = vec!["?"; RECORD_COLUMNS.len() + SECRETS_COLUMNS.len() + 1].join(", ");
    format!("INSERT INTO hallpass_tokens ({record}, {secrets}, last_used_at) VALUES ({places})")
});

/// Updates a record if it is at the revision before the new one. The values are those of the
/// record, starting with the id and ending with the new revision.
pub(crate) static UPDATE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "UPDATE hallpass_tokens SET {} WHERE id = ?1 AND revision = ?{} - 1",
        assignments(&RECORD_COLUMNS),
        RECORD_COLUMNS.len()
    )
});

/// Replaces the secrets of a token. The values are those of the secrets, and the id.
pub(crate) static REPLACE_SECRETS: LazyLock<String> = LazyLock::new(|| {
    let id = SECRETS_COLUMNS.len() + 1;
    format!("UPDATE hallpass_tokens SET {} WHERE id = ?{id}", assignments(&SECRETS_COLUMNS))
});

/// Writes `column = ?n` for each column.
fn assignments(columns: &[&str]) -> String {
    hallpass_sql::assignments(columns, 1, |_, number| format!("?{number}"))
}

pub(crate) const HAS_DIGEST: &str =
    "SELECT 1 FROM hallpass_tokens WHERE id = ? AND algorithm = ? AND digest = ?";

pub(crate) const DELETE: &str =
    "DELETE FROM hallpass_tokens WHERE id = ?1 AND (?2 IS NULL OR revision = ?2)";

pub(crate) const DELETE_OF: &str =
    "DELETE FROM hallpass_tokens WHERE id = ?1 AND (?2 IS NULL OR owner = ?2) RETURNING owner";

pub(crate) const DELETE_OWNER: &str = "DELETE FROM hallpass_tokens WHERE owner = ?";

/// Revokes the tokens of an owner. `?1` is the time, `?2` is the owner, and `?3` is the time before
/// which the secret was issued, or NULL. The plus sign keeps SQLite from using the index by status.
pub(crate) const REVOKE_OWNER: &str = "UPDATE hallpass_tokens SET revoked_at = ?1, revision = revision + 1 \
     WHERE owner = ?2 AND +revoked_at IS NULL \
     AND (?3 IS NULL OR coalesce(regenerated_at, created_at) < ?3)";

/// Revokes tokens of all owners. `?1` and `?3` are those of [`REVOKE_OWNER`], and `?2` is the
/// limit.
pub(crate) const REVOKE_EVERYONE: &str = "UPDATE hallpass_tokens SET revoked_at = ?1, \
     revision = revision + 1 WHERE id IN (SELECT id FROM hallpass_tokens WHERE revoked_at IS NULL \
     AND (?3 IS NULL OR coalesce(regenerated_at, created_at) < ?3) LIMIT ?2)";

/// Records any number of uses, which are one JSON text. The latest use of each token counts.
pub(crate) const RECORD_USES: &str = "UPDATE hallpass_tokens SET last_used_at = used.at FROM \
     (SELECT unhex(value ->> 0) AS id, value ->> 1 AS revision, max(value ->> 2) AS at \
     FROM json_each(?) GROUP BY 1, 2) AS used \
     WHERE hallpass_tokens.id = used.id AND hallpass_tokens.revision = used.revision \
     AND (last_used_at IS NULL OR last_used_at < used.at)";

pub(crate) const PRUNE: &str = "DELETE FROM hallpass_tokens WHERE id IN \
     (SELECT id FROM hallpass_tokens WHERE revoked_at < ?1 OR expires_at < ?1 LIMIT ?2)";

/// Deletes the oldest log entries.
///
/// It deletes from the first entry on without a gap, even if the system's clock was wrong when some
/// entries were written. The newest entry stays, because a follower that has read the whole log
/// compares the nonce of that entry.
pub(crate) const PRUNE_LOG: &str = "DELETE FROM hallpass_changes WHERE seq <= (SELECT max(seq) FROM \
     (SELECT seq, at FROM hallpass_changes ORDER BY seq LIMIT ?2) WHERE at < ?1) \
     AND seq < (SELECT seq FROM hallpass_clock)";

pub(crate) const ADVANCE_CLOCK: &str =
    "UPDATE hallpass_clock SET seq = seq + 1, nonce = ? RETURNING seq, nonce";

/// Inserts a log entry. The values are its position, and those of the event.
pub(crate) static LOG: LazyLock<String> = LazyLock::new(|| {
    let places = vec!["?"; EVENT_COLUMNS.len() + 2].join(", ");
    format!(
        "INSERT INTO hallpass_changes (seq, nonce, {}) VALUES ({places})",
        EVENT_COLUMNS.join(", ")
    )
});

/// Reads log entries, with the newest position in each row. Without entries there is one row with
/// the newest position alone. It is one statement, so all rows are from the same snapshot.
pub(crate) const CHANGES: &str = "SELECT clock.seq AS head, clock.nonce AS head_nonce, \
     entry.seq, entry.nonce, entry.target, entry.token_id, entry.owner FROM hallpass_clock AS clock LEFT JOIN \
     (SELECT * FROM hallpass_changes WHERE seq >= ? ORDER BY seq LIMIT ?) AS entry ORDER BY entry.seq";

/// Reads the path of the file that a connection has open.
pub(crate) const MAIN_FILE: &str = "SELECT file FROM pragma_database_list WHERE name = 'main'";
