//! The errors of opening a store.

use std::error::Error as StdError;
use std::fmt;

use sqlx::postgres::PgConnectOptions;

use crate::error_class::{ErrorClass, error_class};
use crate::schema_name::SchemaName;

/// The error that a store could not be opened. The message names the database and explains what to
/// do. Neither it nor [`Debug`] contains a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The text is not the URL of a PostgreSQL database.
    #[error(
        "the address of a PostgreSQL store is a URL such as `postgres://user:password@host:5432/database`"
    )]
    Address,
    /// The setting for the schema is not a name that the store accepts.
    #[error(
        "the name of the store's schema must consist of lower-case letters, digits and underscores, \
         must not begin with a digit or with `pg_`, and has at most 63 characters"
    )]
    SchemaName,
    /// The server does not respond, or rejects the connection.
    #[error("{database} cannot be reached: {}", advice(source.as_ref()))]
    #[non_exhaustive]
    Unreachable {
        /// The database.
        database: DatabaseAddress,
        /// The driver's error.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The server is older than PostgreSQL 13.
    #[error("{database} is served by PostgreSQL {found}: Hallpass needs PostgreSQL 13 or later")]
    #[non_exhaustive]
    ServerTooOld {
        /// The database.
        database: DatabaseAddress,
        /// The major version of the server.
        found: i64,
    },
    /// The encoding of the database is not UTF-8.
    #[error(
        "{database} has the encoding {found}: Hallpass needs a database with the encoding UTF8"
    )]
    #[non_exhaustive]
    Encoding {
        /// The database.
        database: DatabaseAddress,
        /// The encoding of the database.
        found: String,
    },
    /// The schema is missing, and the settings do not allow creating it.
    #[error(
        "{database} has no schema `{}` with the store's tables yet: run the migrations \
         (`PostgresStore::migrate_with`, or the SQL files)",
        .database.schema.as_str()
    )]
    #[non_exhaustive]
    Missing {
        /// The database.
        database: DatabaseAddress,
    },
    /// The schema is outdated, and the settings do not allow updating it.
    #[error(
        "the schema `{}` in {database} is version {found}, and this program needs {known}: run the \
         migrations (`PostgresStore::migrate_with`, or the SQL files)",
        .database.schema.as_str()
    )]
    #[non_exhaustive]
    Older {
        /// The database.
        database: DatabaseAddress,
        /// The version of the schema.
        found: i64,
        /// The version that this program needs.
        known: i64,
    },
    /// A later version of Hallpass created the schema.
    #[error(
        "the schema `{}` in {database} is version {found}, and this program supports only {known}: \
         upgrade this program",
        .database.schema.as_str()
    )]
    #[non_exhaustive]
    Newer {
        /// The database.
        database: DatabaseAddress,
        /// The version of the schema.
        found: i64,
        /// The latest version that this program supports.
        known: i64,
    },
    /// The schema contains tables of another application.
    #[error(
        "the schema `{}` in {database} contains tables of another application: use another schema or \
         database for the store",
        .database.schema.as_str()
    )]
    #[non_exhaustive]
    Foreign {
        /// The database.
        database: DatabaseAddress,
    },
    /// The store's schema was not created, because it would become the first one in the
    /// `search_path` of the role. This happens if it has the name of the role (`"$user"`) and the
    /// schema that is first now is in use. The application's next tables would be created in the
    /// store's schema.
    #[error(
        "the schema `{}` in {database} would be the first one in the `search_path` of the role \
         {role}, before the schema of its tables: choose another schema \
         (`PostgresSettings::schema`), or create this one yourself if that is intended",
        .database.schema.as_str()
    )]
    #[non_exhaustive]
    FirstInSearchPath {
        /// The database.
        database: DatabaseAddress,
        /// The role.
        role: String,
    },
    /// The role lacks a right.
    #[error(
        "the role {role} lacks rights in {database}: run the migrations with a role that may create \
         schemas, and grant this role the rights in `roles.sql`"
    )]
    #[non_exhaustive]
    Forbidden {
        /// The database.
        database: DatabaseAddress,
        /// The role.
        role: String,
    },
    /// The server is read-only, so the schema cannot be created.
    #[error("{database} is read-only: run the migrations on a server that accepts changes")]
    #[non_exhaustive]
    ReadOnly {
        /// The database.
        database: DatabaseAddress,
    },
}

/// The address of a database, without the role and the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseAddress {
    host: String,
    port: u16,
    database: String,
    pub(crate) schema: SchemaName,
}

impl DatabaseAddress {
    pub(crate) fn of(options: &PgConnectOptions, schema: SchemaName) -> Self {
        let socket = options.get_socket().map(|path| path.display().to_string());
        Self {
            host: socket.unwrap_or_else(|| options.get_host().to_owned()),
            port: options.get_port(),
            database: options.get_database().unwrap_or(options.get_username()).to_owned(),
            schema,
        }
    }
}

impl fmt::Display for DatabaseAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the database `{}` on {}:{}", self.database, self.host, self.port)
    }
}

/// Returns what to check after an error of the driver.
fn advice(error: &(dyn StdError + Send + Sync + 'static)) -> &'static str {
    match error.downcast_ref() {
        Some(sqlx::Error::Tls(_)) => {
            "check the server's certificate, and that a TLS feature of the crate `sqlx` is enabled"
        }
        _ => "check that the server is running and that this role may connect",
    }
}

impl ConnectError {
    pub(crate) fn unreachable(
        database: &DatabaseAddress,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self::Unreachable { database: database.clone(), source: source.into() }
    }

    /// Converts an error of the driver.
    pub(crate) fn of_driver(database: &DatabaseAddress, role: &str, error: sqlx::Error) -> Self {
        let database = database.clone();
        let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
        // A table or type of that name exists, or lacks a column that a migration needs.
        if matches!(
            code.as_deref(),
            Some("42P07" | "42710" | "42703" | "42P06" | "42804" | "42809")
        ) {
            return Self::Foreign { database };
        }
        let role = role.to_owned();
        match error_class(&error) {
            // A role that may not connect at all gets another error than a role that lacks a right.
            ErrorClass::Forbidden if code.as_deref() == Some("42501") => {
                Self::Forbidden { database, role }
            }
            ErrorClass::ReadOnly => Self::ReadOnly { database },
            _ => Self::unreachable(&database, error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_names_the_tls_feature_only_after_a_tls_error() {
        let options = PgConnectOptions::new_without_pgpass().host("db.example").database("app");
        let database = DatabaseAddress::of(&options, SchemaName::default());
        let message = |error: sqlx::Error| ConnectError::unreachable(&database, error).to_string();
        assert!(message(sqlx::Error::Tls("not compiled in".into())).contains("TLS feature"));
        assert!(!message(sqlx::Error::PoolTimedOut).contains("TLS"));
    }
}
