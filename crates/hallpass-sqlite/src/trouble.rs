//! What SQLite's result codes mean for whoever asked the store: <https://www.sqlite.org/rescode.html>.

use hallpass_core::store::StoreError;

/// What kind of trouble an error of the driver is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Somebody else holds the lock.
    Locked,
    /// The file takes no changes.
    ReadOnly,
    /// The disk takes no more.
    Full,
    /// The file is damaged, or a row makes no sense.
    Corrupt,
    /// The file is none of SQLite's.
    NotADatabase,
    /// The disk did not say whether it has what was written.
    Unsynced,
    /// Anything else: a thread that is gone, a disk that cannot be read, a full queue.
    Other,
}

const BUSY: u32 = 5;
const LOCKED: u32 = 6;
const READONLY: u32 = 8;
const IOERR: u32 = 10;
const IOERR_WRITE: u32 = IOERR | 3 << 8;
const CORRUPT: u32 = 11;
const FULL: u32 = 13;
const CONSTRAINT: u32 = 19;
const MISMATCH: u32 = 20;
const NOTADB: u32 = 26;

/// The file was renamed or deleted while it was open.
const READONLY_DBMOVED: u32 = READONLY | 4 << 8;

pub(crate) fn trouble(error: &sqlx::Error) -> Trouble {
    use sqlx::Error;
    match error {
        Error::Database(error) => {
            let code: u32 = error.code().and_then(|code| code.parse().ok()).unwrap_or(0);
            match code {
                READONLY_DBMOVED => Trouble::Other,
                // Beyond a quota or a limit on file sizes, or on a disk that went read-only.
                IOERR_WRITE => Trouble::Full,
                _ => match code & 0xFF {
                    BUSY | LOCKED => Trouble::Locked,
                    READONLY => Trouble::ReadOnly,
                    IOERR => Trouble::Unsynced,
                    CORRUPT | CONSTRAINT | MISMATCH => Trouble::Corrupt,
                    FULL => Trouble::Full,
                    NOTADB => Trouble::NotADatabase,
                    _ => Trouble::Other,
                },
            }
        }
        Error::RowNotFound
        | Error::TypeNotFound { .. }
        | Error::ColumnNotFound(_)
        | Error::ColumnIndexOutOfBounds { .. }
        | Error::ColumnDecode { .. }
        | Error::Decode(_) => Trouble::Corrupt,
        _ => Trouble::Other,
    }
}

/// The answer to a call that the driver failed before anything was committed.
pub(crate) fn refused(error: sqlx::Error) -> StoreError {
    match trouble(&error) {
        Trouble::ReadOnly | Trouble::Full => StoreError::read_only(error),
        Trouble::Corrupt | Trouble::NotADatabase => StoreError::corrupt(error),
        Trouble::Locked | Trouble::Unsynced | Trouble::Other => StoreError::unavailable(error),
    }
}

/// The answer to a call whose commit failed. What was not written in full does not stand. But if only
/// the sync failed, or the thread that did it is gone, the change may be in the log, and come
/// to light when SQLite reads the log after a crash.
pub(crate) fn refused_at_commit(error: sqlx::Error) -> StoreError {
    match trouble(&error) {
        Trouble::Unsynced | Trouble::Other => StoreError::outcome_unknown(error),
        Trouble::ReadOnly
        | Trouble::Full
        | Trouble::Corrupt
        | Trouble::NotADatabase
        | Trouble::Locked => refused(error),
    }
}

#[cfg(test)]
mod tests {
    use sqlx::sqlite::SqliteConnectOptions;
    use sqlx::{ConnectOptions as _, Row as _};

    use super::*;

    /// The error that SQLite gives when it runs these statements.
    async fn error_of(statements: &'static str) -> sqlx::Error {
        let mut connection = SqliteConnectOptions::new().connect().await.unwrap();
        sqlx::raw_sql(statements).execute(&mut connection).await.unwrap_err()
    }

    #[tokio::test]
    async fn a_store_that_takes_no_changes_is_read_only() {
        let full =
            "PRAGMA max_page_count = 3; CREATE TABLE t (x); INSERT INTO t VALUES (zeroblob(99999))";
        let read_only = "CREATE TABLE t (x); PRAGMA query_only = ON; INSERT INTO t VALUES (1)";
        for (statements, expected) in [(full, Trouble::Full), (read_only, Trouble::ReadOnly)] {
            let error = error_of(statements).await;
            assert_eq!(trouble(&error), expected, "{error}");
            assert!(refused_at_commit(error).is_read_only());
            assert!(refused(error_of(statements).await).is_read_only());
        }
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_corrupt() {
        let constraint =
            error_of("CREATE TABLE t (x CHECK (x > 1)); INSERT INTO t VALUES (0)").await;
        assert!(refused(constraint).is_corrupt());
        let mut connection = SqliteConnectOptions::new().connect().await.unwrap();
        let row = sqlx::query("SELECT 'text'").fetch_one(&mut connection).await.unwrap();
        for column in [0, 1] {
            assert!(refused(row.try_get::<i64, _>(column).unwrap_err()).is_corrupt());
        }
    }

    #[tokio::test]
    async fn after_a_lost_commit_nobody_knows() {
        for lost in [sqlx::Error::WorkerCrashed, sqlx::Error::PoolClosed] {
            assert!(refused_at_commit(lost).is_outcome_unknown());
        }
        let before = refused(sqlx::Error::WorkerCrashed);
        assert!(before.is_unavailable() && !before.is_outcome_unknown());
        let no_such_table = refused(error_of("SELECT * FROM nowhere").await);
        assert!(no_such_table.is_unavailable() && !no_such_table.is_corrupt());
    }
}
