//! Classes of SQLite's result codes: <https://www.sqlite.org/rescode.html>.

use hallpass_core::store::StoreError;

/// The class of an error of the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorClass {
    /// Another connection holds the lock.
    Locked,
    /// The file can only be read.
    ReadOnly,
    /// The disk is full.
    Full,
    /// The file is damaged, or a row has an invalid value.
    Corrupt,
    /// The file is not a SQLite database.
    NotADatabase,
    /// The disk did not confirm a write.
    Unsynced,
    /// A foreign key refers to the row.
    Referenced,
    /// Any other error. For example, the thread of a connection ended, or the disk cannot be read.
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
const CONSTRAINT_FOREIGN_KEY: u32 = CONSTRAINT | 3 << 8;
/// The code of `ON DELETE RESTRICT`, which is an internal trigger. The application's own triggers
/// have the same code.
const CONSTRAINT_TRIGGER: u32 = CONSTRAINT | 7 << 8;
const MISMATCH: u32 = 20;
const NOTADB: u32 = 26;

/// The file was renamed or deleted while it was open.
const READONLY_DBMOVED: u32 = READONLY | 4 << 8;

/// Returns the class of an error.
pub(crate) fn error_class(error: &sqlx::Error) -> ErrorClass {
    use sqlx::Error;
    match error {
        Error::Database(error) => {
            let code: u32 = error.code().and_then(|code| code.parse().ok()).unwrap_or(0);
            match code {
                CONSTRAINT_FOREIGN_KEY => ErrorClass::Referenced,
                CONSTRAINT_TRIGGER if error.message().contains("FOREIGN KEY") => {
                    ErrorClass::Referenced
                }
                READONLY_DBMOVED => ErrorClass::Other,
                // This is a quota, a limit on file sizes, or a disk that became read-only.
                IOERR_WRITE => ErrorClass::Full,
                _ => match code & 0xFF {
                    BUSY | LOCKED => ErrorClass::Locked,
                    READONLY => ErrorClass::ReadOnly,
                    IOERR => ErrorClass::Unsynced,
                    CORRUPT | CONSTRAINT | MISMATCH => ErrorClass::Corrupt,
                    FULL => ErrorClass::Full,
                    NOTADB => ErrorClass::NotADatabase,
                    _ => ErrorClass::Other,
                },
            }
        }
        Error::RowNotFound
        | Error::TypeNotFound { .. }
        | Error::ColumnNotFound(_)
        | Error::ColumnIndexOutOfBounds { .. }
        | Error::ColumnDecode { .. }
        | Error::Decode(_) => ErrorClass::Corrupt,
        _ => ErrorClass::Other,
    }
}

/// Converts an error from before the commit.
pub(crate) fn store_error(error: sqlx::Error) -> StoreError {
    match error_class(&error) {
        ErrorClass::ReadOnly | ErrorClass::Full => StoreError::read_only(error),
        ErrorClass::Corrupt | ErrorClass::NotADatabase => StoreError::corrupt(error),
        ErrorClass::Referenced => StoreError::referenced(error),
        ErrorClass::Locked | ErrorClass::Unsynced | ErrorClass::Other => {
            StoreError::unavailable(error)
        }
    }
}

/// Converts an error of the commit itself.
///
/// SQLite ignores a commit that was not written completely. But if only the sync failed, or the
/// thread that did it ended, the write-ahead log may contain the whole change. SQLite would apply
/// it after a crash, so its outcome is unknown.
pub(crate) fn commit_error(error: sqlx::Error) -> StoreError {
    match error_class(&error) {
        ErrorClass::Unsynced | ErrorClass::Other => StoreError::outcome_unknown(error),
        ErrorClass::ReadOnly
        | ErrorClass::Full
        | ErrorClass::Corrupt
        | ErrorClass::NotADatabase
        | ErrorClass::Referenced
        | ErrorClass::Locked => store_error(error),
    }
}

#[cfg(test)]
mod tests {
    use sqlx::sqlite::SqliteConnectOptions;
    use sqlx::{ConnectOptions as _, Row as _};

    use super::*;

    /// Returns the error of running these statements.
    async fn error_of(statements: &'static str) -> sqlx::Error {
        let mut connection = SqliteConnectOptions::new().connect().await.unwrap();
        sqlx::raw_sql(statements).execute(&mut connection).await.unwrap_err()
    }

    #[tokio::test]
    async fn full_disk_and_read_only_file_are_read_only_errors() {
        let full =
            "PRAGMA max_page_count = 3; CREATE TABLE t (x); INSERT INTO t VALUES (zeroblob(99999))";
        let read_only = "CREATE TABLE t (x); PRAGMA query_only = ON; INSERT INTO t VALUES (1)";
        for (statements, expected) in [(full, ErrorClass::Full), (read_only, ErrorClass::ReadOnly)]
        {
            let error = error_of(statements).await;
            assert_eq!(error_class(&error), expected, "{error}");
            assert!(commit_error(error).is_read_only());
            assert!(store_error(error_of(statements).await).is_read_only());
        }
    }

    #[tokio::test]
    async fn unreadable_values_are_corrupt() {
        let constraint =
            error_of("CREATE TABLE t (x CHECK (x > 1)); INSERT INTO t VALUES (0)").await;
        assert!(store_error(constraint).is_corrupt());
        let mut connection = SqliteConnectOptions::new().connect().await.unwrap();
        let row = sqlx::query("SELECT 'text'").fetch_one(&mut connection).await.unwrap();
        for column in [0, 1] {
            assert!(store_error(row.try_get::<i64, _>(column).unwrap_err()).is_corrupt());
        }
    }

    #[tokio::test]
    async fn lost_commit_has_an_unknown_outcome() {
        for lost in [sqlx::Error::WorkerCrashed, sqlx::Error::PoolClosed] {
            assert!(commit_error(lost).is_outcome_unknown());
        }
        let before = store_error(sqlx::Error::WorkerCrashed);
        assert!(before.is_unavailable() && !before.is_outcome_unknown());
        let no_such_table = store_error(error_of("SELECT * FROM nowhere").await);
        assert!(no_such_table.is_unavailable() && !no_such_table.is_corrupt());
    }
}
