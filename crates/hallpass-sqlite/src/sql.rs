//! The statements, but for those of [lists](crate::list), which are put together.

/// The columns of a record, which [`row::record`](crate::row::record) reads.
macro_rules! record_columns {
    () => {
        "id, owner, name, description, scopes, created_at, expires_at, last_used_at, revoked_at, \
         regenerated_at, revision"
    };
}

/// The token and the clock, in one statement and so in one snapshot.
pub(crate) const FIND: &str = concat!(
    "SELECT seq, ",
    record_columns!(),
    ", algorithm, digest, previous_algorithm, previous_digest, previous_until \
     FROM clock LEFT JOIN tokens ON id = ?"
);

/// What [`list::page`](crate::list::page) puts filters and an order to.
pub(crate) const LIST: &str = concat!("SELECT ", record_columns!(), " FROM tokens WHERE true");

/// What [`list::count`](crate::list::count) puts filters to.
pub(crate) const COUNT: &str = "SELECT count(*) FROM tokens WHERE true";

pub(crate) const EXISTS: &str = "SELECT 1 FROM tokens WHERE id = ?";

/// Whether an id is taken, and how many tokens an owner has.
pub(crate) const TAKEN: &str = "SELECT EXISTS (SELECT 1 FROM tokens WHERE id = ?), \
     (SELECT count(*) FROM tokens WHERE owner = ?)";

/// Takes what [`row::bind_record`](crate::row::bind_record) and
/// [`bind_secrets`](crate::row::bind_secrets) bind, and `last_used_at` between.
pub(crate) const INSERT: &str = "INSERT INTO tokens \
     (owner, name, name_key, description, description_key, scopes, created_at, expires_at, revoked_at, \
     regenerated_at, revision, id, last_used_at, \
     algorithm, digest, previous_algorithm, previous_digest, previous_until) \
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

/// Takes what [`row::bind_record`](crate::row::bind_record) binds, and the expected revision.
pub(crate) const REPLACE: &str = "UPDATE tokens SET \
     owner = ?, name = ?, name_key = ?, description = ?, description_key = ?, scopes = ?, created_at = ?, \
     expires_at = ?, revoked_at = ?, regenerated_at = ?, revision = ? WHERE id = ? AND revision = ?";

/// Takes what [`row::bind_secrets`](crate::row::bind_secrets) binds, and the id.
pub(crate) const REPLACE_SECRETS: &str = "UPDATE tokens SET algorithm = ?, digest = ?, \
     previous_algorithm = ?, previous_digest = ?, previous_until = ? WHERE id = ?";

pub(crate) const HAS_DIGEST: &str =
    "SELECT 1 FROM tokens WHERE id = ? AND algorithm = ? AND digest = ?";

pub(crate) const DELETE: &str =
    "DELETE FROM tokens WHERE id = ?1 AND (?2 IS NULL OR revision = ?2)";

pub(crate) const DELETE_OF: &str =
    "DELETE FROM tokens WHERE id = ?1 AND (?2 IS NULL OR owner = ?2) RETURNING owner";

pub(crate) const DELETE_OWNER: &str = "DELETE FROM tokens WHERE owner = ?";

pub(crate) const REVOKE_OWNER: &str = "UPDATE tokens SET revoked_at = ?, revision = revision + 1 \
     WHERE owner = ? AND revoked_at IS NULL";

/// Takes what [`row::uses`](crate::row::uses) writes: any number of uses, in one statement. Of several of one
/// token the latest counts.
pub(crate) const TOUCH: &str = "UPDATE tokens SET last_used_at = used.at FROM \
     (SELECT unhex(value ->> 0) AS id, value ->> 1 AS revision, max(value ->> 2) AS at \
     FROM json_each(?) GROUP BY 1, 2) AS used \
     WHERE tokens.id = used.id AND tokens.revision = used.revision \
     AND (last_used_at IS NULL OR last_used_at < used.at)";

pub(crate) const PRUNE: &str = "DELETE FROM tokens WHERE id IN \
     (SELECT id FROM tokens WHERE revoked_at < ?1 OR expires_at < ?1 LIMIT ?2)";

/// Lets the oldest lines of the log go, from the first on and without a gap, whatever the system's
/// clock did when they were written. The head's own line stays: readers know their place by it.
pub(crate) const TRIM: &str = "DELETE FROM changes WHERE seq <= (SELECT max(seq) FROM \
     (SELECT seq, at FROM changes ORDER BY seq LIMIT ?2) WHERE at < ?1) \
     AND seq < (SELECT seq FROM clock)";

pub(crate) const TICK: &str = "UPDATE clock SET seq = seq + 1, nonce = ? RETURNING seq";

pub(crate) const LOG: &str =
    "INSERT INTO changes (seq, nonce, kind, token, owner, at) VALUES (?, ?, ?, ?, ?, ?)";

/// The head of the log beside each of its lines, and alone if there is none: one statement and so one
/// snapshot.
pub(crate) const CHANGES: &str = "SELECT clock.seq AS head, clock.nonce AS head_nonce, \
     line.seq, line.nonce, line.kind, line.token, line.owner FROM clock LEFT JOIN \
     (SELECT * FROM changes WHERE seq >= ? ORDER BY seq LIMIT ?) AS line ORDER BY line.seq";

pub(crate) const PING: &str = "SELECT seq FROM clock";
