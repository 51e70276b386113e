use std::error::Error as StdError;
use std::fmt;

use sqlx::postgres::PgConnectOptions;

use crate::error_class::{ErrorClass, error_class};

/// Why a store was not opened: what was wrong, where, and what to do.
///
/// No message holds a password; nor does [`Debug`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The text is no URL of a PostgreSQL database.
    #[error(
        "the address of a PostgreSQL store is a URL such as `postgres://user:password@host:5432/database`"
    )]
    Address,
    /// The server did not answer, or let nobody in.
    #[error("{place} cannot be reached: see that the server runs and lets this role in")]
    #[non_exhaustive]
    Unreachable {
        /// Which database.
        place: Place,
        /// What the driver says.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The server is older than PostgreSQL 13.
    #[error("{place} is served by PostgreSQL {found}: Hallpass needs 13 or later")]
    #[non_exhaustive]
    ServerTooOld {
        /// Which database.
        place: Place,
        /// The major version of the server.
        found: i64,
    },
    /// The database keeps texts in another encoding than UTF-8.
    #[error("{place} has the encoding {found}: Hallpass needs a database with the encoding UTF8")]
    #[non_exhaustive]
    Encoding {
        /// Which database.
        place: Place,
        /// Its encoding.
        found: String,
    },
    /// The schema is missing and was not to be created.
    #[error(
        "{place} has no schema `hallpass` yet: run the migrations (`PostgresStore::migrate`, or the SQL files)"
    )]
    #[non_exhaustive]
    Missing {
        /// Which database.
        place: Place,
    },
    /// The schema is an earlier one, and was not to be changed.
    #[error(
        "the schema `hallpass` in {place} is version {found}, and this program needs {known}: run the \
         migrations (`PostgresStore::migrate`, or the SQL files)"
    )]
    #[non_exhaustive]
    Older {
        /// Which database.
        place: Place,
        /// The version that the schema has.
        found: i64,
        /// The version that this program works on.
        known: i64,
    },
    /// The schema was made by a later version.
    #[error(
        "the schema `hallpass` in {place} is version {found}, and this program knows {known}: upgrade this program"
    )]
    #[non_exhaustive]
    Newer {
        /// Which database.
        place: Place,
        /// The version that the schema has.
        found: i64,
        /// The latest version that this program knows.
        known: i64,
    },
    /// The schema holds tables of the same names that are not Hallpass's.
    #[error(
        "the schema `hallpass` in {place} holds tables that are not Hallpass's: give the store another database"
    )]
    #[non_exhaustive]
    Foreign {
        /// Which database.
        place: Place,
    },
    /// The role lacks a right.
    #[error(
        "the role {role} lacks rights in {place}: let a role that may create schemas run the migrations, and \
         grant this one what `roles.sql` says"
    )]
    #[non_exhaustive]
    Forbidden {
        /// Which database.
        place: Place,
        /// The role that the program is there as.
        role: String,
    },
    /// The server takes no changes, so the schema cannot be made.
    #[error("{place} is read-only: run the migrations where it can be written")]
    #[non_exhaustive]
    ReadOnly {
        /// Which database.
        place: Place,
    },
}

/// Which database, without who and with what password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    host: String,
    port: u16,
    database: String,
}

impl Place {
    pub(crate) fn of(options: &PgConnectOptions) -> Self {
        let socket = options.get_socket().map(|path| path.display().to_string());
        Self {
            host: socket.unwrap_or_else(|| options.get_host().to_owned()),
            port: options.get_port(),
            database: options.get_database().unwrap_or(options.get_username()).to_owned(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the database `{}` on {}:{}", self.database, self.host, self.port)
    }
}

impl ConnectError {
    pub(crate) fn unreachable(
        options: &PgConnectOptions,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self::Unreachable { place: Place::of(options), source: source.into() }
    }

    /// What the driver's trouble means for somebody who opens a store.
    pub(crate) fn of_driver(options: &PgConnectOptions, error: sqlx::Error) -> Self {
        let place = Place::of(options);
        let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
        // A table or type of that name, or a table without the column that a migration looks for.
        if matches!(
            code.as_deref(),
            Some("42P07" | "42710" | "42703" | "42P06" | "42804" | "42809")
        ) {
            return Self::Foreign { place };
        }
        let role = options.get_username().to_owned();
        match error_class(&error) {
            // Who is not let in at all has another problem than who lacks a right.
            ErrorClass::Forbidden if code.as_deref() == Some("42501") => {
                Self::Forbidden { place, role }
            }
            ErrorClass::ReadOnly => Self::ReadOnly { place },
            _ => Self::unreachable(options, error),
        }
    }
}
