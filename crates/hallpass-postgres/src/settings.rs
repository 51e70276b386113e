//! The settings of a store.

use std::time::Duration;

use sqlx::postgres::PgConnectOptions;

use crate::connect_error::{ConnectError, DatabaseAddress};
use crate::schema_name::SchemaName;

/// The longest time that a lookup may take. The server ends the statements of the store's own
/// connections after the same time.
const MAX_LOOKUP_DEADLINE: Duration = Duration::from_secs(2);

/// The settings of a store. The defaults are suitable for a PostgreSQL server to which nodes
/// connect directly.
///
/// ```no_run
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use hallpass_postgres::{PostgresSettings, PostgresStore};
///
/// // Behind PgBouncer in transaction mode, with a role that may not create anything:
/// let settings = PostgresSettings::default().disable_listen().migrate(false);
/// let store = PostgresStore::connect_with("postgres://app@pooler:6432/app", settings).await?;
/// # drop(store);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct PostgresSettings {
    pub(crate) connections: u32,
    pub(crate) lookup_deadline: Duration,
    pub(crate) is_pooled: bool,
    pub(crate) notifies: bool,
    pub(crate) migrates: bool,
    pub(crate) schema: String,
}

impl Default for PostgresSettings {
    fn default() -> Self {
        Self {
            connections: 8,
            lookup_deadline: Duration::from_secs(1),
            is_pooled: false,
            notifies: true,
            migrates: true,
            schema: SchemaName::default().as_str().to_owned(),
        }
    }
}

impl PostgresSettings {
    /// Sets how many connections lookups, lists and changes share: 8 by default. At most four edits
    /// and two removals run at once. A cache in front needs two more connections.
    ///
    /// This has no effect on a pool of the host's.
    ///
    /// # Panics
    ///
    /// Panics if `connections` is 0.
    #[track_caller]
    pub fn connections(mut self, connections: u32) -> Self {
        assert!(connections > 0, "a store needs at least one connection");
        self.connections = connections;
        self
    }

    /// Sets how long a lookup, a list or a read of the change log may take, including the wait for
    /// a connection: one second by default, and at most two.
    ///
    /// # Panics
    ///
    /// Panics if `deadline` is zero or longer than two seconds.
    #[track_caller]
    pub fn lookup_deadline(mut self, deadline: Duration) -> Self {
        assert!(
            !deadline.is_zero() && deadline <= MAX_LOOKUP_DEADLINE,
            "invalid lookup deadline {deadline:?}: use a time above zero and of at most {MAX_LOOKUP_DEADLINE:?}",
        );
        self.lookup_deadline = deadline;
        self
    }

    /// Keeps nothing in a session of the server: no prepared statements and no `LISTEN`. Use this
    /// with a pooler that gives each transaction another connection, such as `PgBouncer` in
    /// transaction mode. Changes of other nodes are then found only by polling, still within the
    /// promised bound.
    pub fn disable_listen(mut self) -> Self {
        self.is_pooled = true;
        self
    }

    /// Sets whether each change is announced to other nodes with `NOTIFY`: yes by default. If the
    /// host itself sends very many notifications, their commits wait for each other.
    pub fn notify(mut self, notify: bool) -> Self {
        self.notifies = notify;
        self
    }

    /// Sets the schema that contains the store's tables: `hallpass` by default. It may be a schema
    /// of the host's that contains other tables. Opening the store creates it if it does not exist.
    ///
    /// The name consists of lower-case letters, digits and underscores. Every node must use the
    /// same one. On the command line, this is `--postgres-schema`.
    pub fn schema(mut self, name: impl Into<String>) -> Self {
        self.schema = name.into();
        self
    }

    /// Sets whether opening the store creates or updates its schema: yes by default. If not,
    /// opening fails unless the schema is up to date.
    pub fn migrate(mut self, migrate: bool) -> Self {
        self.migrates = migrate;
        self
    }

    /// Returns the address of the database with the schema of these settings.
    pub(crate) fn database(
        &self,
        options: &PgConnectOptions,
    ) -> Result<DatabaseAddress, ConnectError> {
        let schema = SchemaName::parse(&self.schema).ok_or(ConnectError::SchemaName)?;
        Ok(DatabaseAddress::of(options, schema))
    }
}

/// Parses a URL. The driver's error is left out, because it may contain a password.
pub(crate) fn parse(url: &str) -> Result<PgConnectOptions, ConnectError> {
    let is_ours = url.starts_with("postgres://") || url.starts_with("postgresql://");
    let parsed = is_ours.then(|| url.parse().ok()).flatten();
    parsed.ok_or(ConnectError::Address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lookup_deadline_at_its_bound_is_accepted() {
        for deadline in [Duration::from_nanos(1), MAX_LOOKUP_DEADLINE] {
            let settings = PostgresSettings::default().lookup_deadline(deadline);
            assert_eq!(settings.lookup_deadline, deadline);
        }
    }

    #[test]
    #[should_panic = "invalid lookup deadline 2.001s: use a time above zero and of at most 2s"]
    fn lookup_deadline_above_its_bound_panics() {
        let _ = PostgresSettings::default().lookup_deadline(Duration::from_millis(2001));
    }

    #[test]
    #[should_panic = "invalid lookup deadline 0ns: use a time above zero and of at most 2s"]
    fn lookup_deadline_of_zero_panics() {
        let _ = PostgresSettings::default().lookup_deadline(Duration::ZERO);
    }

    #[test]
    fn only_postgres_urls_are_accepted_and_errors_do_not_repeat_them() {
        for url in
            ["", "sqlite:x", "postgres:x", "mysql://a:hidden@b/c", "postgres://u:hidden@h:port/d"]
        {
            let error = parse(url).unwrap_err();
            assert!(matches!(error, ConnectError::Address), "{url}");
            assert!(!format!("{error} {error:?}").contains("hidden"));
        }
        assert_eq!(parse("postgres://u:p@h:1/d").unwrap().get_host(), "h");
        assert_eq!(parse("postgresql://u@h").unwrap().get_port(), 5432);
    }
}
