use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool};

use crate::connect_error::ConnectError;
use crate::connections::{self, Connections};
use crate::schema::{self, SchemaMode};
use crate::store::PostgresStore;

/// How a store uses its database. The defaults are right for a PostgreSQL server that nodes connect
/// to directly.
///
/// ```no_run
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use hallpass_postgres::PostgresSettings;
///
/// // Behind PgBouncer in transaction mode, as a role that may create nothing:
/// let store = PostgresSettings::default()
///     .disable_listen()
///     .migrate(false)
///     .connect("postgres://app@pooler:6432/app")
///     .await?;
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
}

impl Default for PostgresSettings {
    fn default() -> Self {
        Self {
            connections: 8,
            lookup_deadline: Duration::from_secs(1),
            is_pooled: false,
            notifies: true,
            migrates: true,
        }
    }
}

impl PostgresSettings {
    /// How many connections look-ups, lists and changes share: 8 unless said otherwise. Of these,
    /// four at most make changes at the same time. Two more, one that follows the change log and
    /// one that listens, come on top when a cache is in front.
    ///
    /// Has no effect on a pool of the host's.
    ///
    /// # Panics
    ///
    /// 0 connections.
    #[track_caller]
    pub fn connections(mut self, connections: u32) -> Self {
        assert!(connections > 0, "a store needs at least one connection");
        self.connections = connections;
        self
    }

    /// How long a look-up, a list or a look at the change log may take, waiting for a connection
    /// included: a second unless said otherwise, and two at most.
    pub fn lookup_deadline(mut self, deadline: Duration) -> Self {
        self.lookup_deadline = deadline.min(Duration::from_secs(2));
        self
    }

    /// Keeps nothing in a session of the server's: no prepared statements, no listening. For
    /// poolers that give each transaction another connection, such as `PgBouncer` in transaction
    /// mode. Changes of other nodes are then found by asking alone, which the bound is kept by in
    /// any case.
    pub fn disable_listen(mut self) -> Self {
        self.is_pooled = true;
        self
    }

    /// Whether other nodes are told of each change with `NOTIFY`: yes unless said otherwise. Where
    /// the host itself notifies very often, these commits wait for each other.
    pub fn notify(mut self, notify: bool) -> Self {
        self.notifies = notify;
        self
    }

    /// Whether the schema `hallpass` is created, or brought to this version's, when the store is
    /// opened: yes unless said otherwise. If not, it must be right, or opening is refused.
    pub fn migrate(mut self, migrate: bool) -> Self {
        self.migrates = migrate;
        self
    }

    /// Opens the store at a URL such as `postgres://user:password@host:5432/database`, as
    /// [`PgConnectOptions`] reads it: what the URL leaves out comes from `PGHOST` and the like.
    ///
    /// # Errors
    ///
    /// [`ConnectError`]: the server cannot be reached, or the database is not one to work on. Nothing was
    /// changed, but for a migration that was completed.
    pub async fn connect(self, url: &str) -> Result<PostgresStore, ConnectError> {
        let options = connections::options(parse(url)?, self.is_pooled);
        schema::prepare(&options, self.schema_mode()).await?;
        let connections = Connections::own(&options, self.connections, self.is_pooled);
        Ok(PostgresStore::new(connections, &options, &self))
    }

    /// Opens the store with a pool of the host's for look-ups and changes. To follow the log and to
    /// listen, it makes two more connections with the pool's options.
    ///
    /// The pool's `test_before_acquire` costs each look-up a second round trip; the store does not
    /// need it.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect).
    pub async fn open(self, pool: PgPool) -> Result<PostgresStore, ConnectError> {
        let options = PgConnectOptions::clone(&pool.connect_options());
        let options = connections::options(options, self.is_pooled);
        schema::prepare(&options, self.schema_mode()).await?;
        let connections = Connections::of_host(pool, &options, self.is_pooled);
        Ok(PostgresStore::new(connections, &options, &self))
    }

    fn schema_mode(&self) -> SchemaMode {
        if self.migrates { SchemaMode::MigrateAndUse } else { SchemaMode::Check }
    }
}

/// What the driver says of a bad URL may repeat some of it, a password even.
pub(crate) fn parse(url: &str) -> Result<PgConnectOptions, ConnectError> {
    let is_ours = url.starts_with("postgres://") || url.starts_with("postgresql://");
    let parsed = is_ours.then(|| url.parse().ok()).flatten();
    parsed.ok_or(ConnectError::Address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_urls_of_postgres_are_addresses_and_none_is_repeated() {
        for url in
            ["", "sqlite:x", "postgres:x", "mysql://a:hidden@b/c", "postgres://u:hidden@h:port/d"]
        {
            let refused = parse(url).unwrap_err();
            assert!(matches!(refused, ConnectError::Address), "{url}");
            assert!(!format!("{refused} {refused:?}").contains("hidden"));
        }
        assert_eq!(parse("postgres://u:p@h:1/d").unwrap().get_host(), "h");
        assert_eq!(parse("postgresql://u@h").unwrap().get_port(), 5432);
    }
}
