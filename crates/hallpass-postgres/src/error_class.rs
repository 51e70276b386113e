//! The meaning of PostgreSQL's error codes for the caller:
//! <https://www.postgresql.org/docs/current/errcodes-appendix.html>.

use std::error::Error as StdError;
use std::fmt;

use hallpass_core::store::StoreError;
use sqlx::postgres::{PgDatabaseError, PgSeverity};

use crate::connect_error::DatabaseAddress;

/// The class of an error of the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorClass {
    /// The connection is lost, or could not be made.
    Lost,
    /// Two transactions waited for each other. A retry can succeed.
    Collision,
    /// Another transaction holds a lock for too long.
    Locked,
    /// The server is read-only.
    ReadOnly,
    /// A row is invalid.
    Corrupt,
    /// A foreign key of the application refers to the token.
    Referenced,
    /// The role lacks a right, or the server rejects the role.
    Forbidden,
    /// Anything else: no connections left, or a missing table.
    Other,
}

/// Returns the class of an error.
pub(crate) fn error_class(error: &sqlx::Error) -> ErrorClass {
    use sqlx::Error;
    match error {
        Error::Database(error) => class_of_code(error.code().as_deref().unwrap_or_default()),
        Error::Io(_) | Error::Tls(_) | Error::Protocol(_) | Error::WorkerCrashed => {
            ErrorClass::Lost
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

fn class_of_code(code: &str) -> ErrorClass {
    match code {
        "40001" | "40P01" => ErrorClass::Collision,
        "55P03" | "57014" => ErrorClass::Locked,
        // The transaction is read-only, or the disk is full.
        "25006" | "53100" => ErrorClass::ReadOnly,
        // The server shuts down, or has ended this session because it was idle for too long.
        "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "25P04" => ErrorClass::Lost,
        "23503" | "23001" => ErrorClass::Referenced,
        "42501" => ErrorClass::Forbidden,
        _ => match code.get(..2) {
            Some("08") => ErrorClass::Lost,
            Some("28") => ErrorClass::Forbidden,
            // A value that is out of range, or a constraint that was violated.
            Some("22" | "23") => ErrorClass::Corrupt,
            _ => ErrorClass::Other,
        },
    }
}

/// Returns whether the server itself has replied that it did not run the statement. The connection
/// can then be used again. A pooler may report a lost server with a similar reply.
pub(crate) fn is_rejection(error: &sqlx::Error) -> bool {
    let reply =
        error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>());
    reply.is_some_and(|reply| reply.severity() == PgSeverity::Error)
        && error_class(error) != ErrorClass::Lost
}

/// An error of the driver, with the server's address. It never contains a password.
#[derive(Debug)]
pub(crate) struct AtServer {
    pub(crate) database: DatabaseAddress,
    pub(crate) error: sqlx::Error,
}

impl fmt::Display for AtServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.database, self.error)
    }
}

/// The text already contains that of the error, so its source is the error's source.
impl StdError for AtServer {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.error.source()
    }
}

/// Converts an error of a call that changed nothing.
pub(crate) fn store_error(database: &DatabaseAddress, error: sqlx::Error) -> StoreError {
    let class = error_class(&error);
    let error = AtServer { database: database.clone(), error };
    match class {
        ErrorClass::ReadOnly => StoreError::read_only(error),
        ErrorClass::Corrupt => StoreError::corrupt(error),
        ErrorClass::Referenced => StoreError::referenced(error),
        ErrorClass::Lost
        | ErrorClass::Collision
        | ErrorClass::Locked
        | ErrorClass::Forbidden
        | ErrorClass::Other => StoreError::unavailable(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_codes_have_the_right_class() {
        for (code, expected) in [
            ("40001", ErrorClass::Collision),
            ("40P01", ErrorClass::Collision),
            ("55P03", ErrorClass::Locked),
            ("57014", ErrorClass::Locked),
            ("25006", ErrorClass::ReadOnly),
            ("53100", ErrorClass::ReadOnly),
            ("57P01", ErrorClass::Lost),
            ("57P03", ErrorClass::Lost),
            ("25P03", ErrorClass::Lost),
            ("08006", ErrorClass::Lost),
            ("28P01", ErrorClass::Forbidden),
            ("42501", ErrorClass::Forbidden),
            ("22021", ErrorClass::Corrupt),
            ("23514", ErrorClass::Corrupt),
            ("53300", ErrorClass::Other),
            ("42P01", ErrorClass::Other),
            ("", ErrorClass::Other),
        ] {
            assert_eq!(class_of_code(code), expected, "{code}");
        }
    }

    #[test]
    fn outage_never_looks_like_a_missing_token() {
        let lost = sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into());
        for error in [lost, sqlx::Error::PoolTimedOut, sqlx::Error::PoolClosed] {
            let error = store_error(&database(), error);
            assert!(error.is_unavailable() && !error.is_not_found());
        }
        assert!(store_error(&database(), sqlx::Error::RowNotFound).is_corrupt());
    }

    #[test]
    fn error_names_the_server_and_no_password() {
        let error = store_error(&database(), sqlx::Error::PoolTimedOut);
        let cause = error.source().unwrap().to_string();
        assert!(cause.starts_with("the database `app` on db.example:5433: "), "{cause}");
        assert!(!format!("{error:?}").contains("hidden"), "{error:?}");
    }

    fn database() -> DatabaseAddress {
        let options = "postgres://u:hidden@db.example:5433/app".parse().unwrap();
        DatabaseAddress::of(&options, crate::schema_name::SchemaName::default())
    }
}
