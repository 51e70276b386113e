//! What PostgreSQL's error codes mean for whoever asked the store:
//! <https://www.postgresql.org/docs/current/errcodes-appendix.html>.

use hallpass_core::store::StoreError;
use sqlx::postgres::{PgDatabaseError, PgSeverity};

/// What kind of trouble an error of the driver is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The connection is gone, or never came about.
    Lost,
    /// Two transactions were in each other's way: to be tried again.
    Collision,
    /// Somebody keeps a lock for too long.
    Locked,
    /// The server takes no changes.
    ReadOnly,
    /// A row makes no sense.
    Corrupt,
    /// A row of the application refers to the token.
    Referenced,
    /// The role may not do that.
    Forbidden,
    /// Anything else: no connections left, a missing table, a full queue.
    Other,
}

pub(crate) fn trouble(error: &sqlx::Error) -> Trouble {
    use sqlx::Error;
    match error {
        Error::Database(error) => of_code(error.code().as_deref().unwrap_or_default()),
        Error::Io(_) | Error::Tls(_) | Error::Protocol(_) | Error::WorkerCrashed => Trouble::Lost,
        Error::RowNotFound
        | Error::TypeNotFound { .. }
        | Error::ColumnNotFound(_)
        | Error::ColumnIndexOutOfBounds { .. }
        | Error::ColumnDecode { .. }
        | Error::Decode(_) => Trouble::Corrupt,
        _ => Trouble::Other,
    }
}

fn of_code(code: &str) -> Trouble {
    match code {
        "40001" | "40P01" => Trouble::Collision,
        "55P03" | "57014" => Trouble::Locked,
        // Not to be written, or on a disk that takes no more.
        "25006" | "53100" => Trouble::ReadOnly,
        // The server goes down, or has ended this session for having waited too long.
        "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "25P04" => Trouble::Lost,
        "23503" | "23001" => Trouble::Referenced,
        "42501" => Trouble::Forbidden,
        _ => match code.get(..2) {
            Some("08") => Trouble::Lost,
            Some("28") => Trouble::Forbidden,
            // A value that cannot be, or a rule of the schema's that was broken.
            Some("22" | "23") => Trouble::Corrupt,
            _ => Trouble::Other,
        },
    }
}

/// Whether the server has said that it did not do what it was asked, and waits for what comes next.
pub(crate) fn is_an_answer(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .and_then(|error| error.try_downcast_ref::<PgDatabaseError>())
        .is_some_and(|error| error.severity() == PgSeverity::Error)
}

/// The answer to a call that the driver failed before anything was committed.
pub(crate) fn refused(error: sqlx::Error) -> StoreError {
    match trouble(&error) {
        Trouble::ReadOnly => StoreError::read_only(error),
        Trouble::Corrupt => StoreError::corrupt(error),
        Trouble::Referenced => StoreError::referenced(error),
        Trouble::Lost
        | Trouble::Collision
        | Trouble::Locked
        | Trouble::Forbidden
        | Trouble::Other => StoreError::unavailable(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_understood_by_what_is_to_be_done() {
        for (code, expected) in [
            ("40001", Trouble::Collision),
            ("40P01", Trouble::Collision),
            ("55P03", Trouble::Locked),
            ("57014", Trouble::Locked),
            ("25006", Trouble::ReadOnly),
            ("53100", Trouble::ReadOnly),
            ("57P01", Trouble::Lost),
            ("57P03", Trouble::Lost),
            ("25P03", Trouble::Lost),
            ("08006", Trouble::Lost),
            ("28P01", Trouble::Forbidden),
            ("42501", Trouble::Forbidden),
            ("22021", Trouble::Corrupt),
            ("23514", Trouble::Corrupt),
            ("53300", Trouble::Other),
            ("42P01", Trouble::Other),
            ("", Trouble::Other),
        ] {
            assert_eq!(of_code(code), expected, "{code}");
        }
    }

    #[test]
    fn no_trouble_of_the_store_reads_as_a_missing_token() {
        let lost = sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into());
        for error in [lost, sqlx::Error::PoolTimedOut, sqlx::Error::PoolClosed] {
            let refused = refused(error);
            assert!(refused.is_unavailable() && !refused.is_not_found());
        }
        assert!(refused(sqlx::Error::RowNotFound).is_corrupt());
    }
}
