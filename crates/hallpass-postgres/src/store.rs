//! The handle of a store: how it is opened, migrated and closed.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool};

use crate::connect_error::ConnectError;
use crate::connections::{self, Connections};
use crate::dialect::Statement;
use crate::listener::Listener;
use crate::permits::WritePermits;
use crate::schema::{self, SchemaId, SchemaMode};
use crate::settings::{PostgresSettings, parse};

/// Tokens in a PostgreSQL database. Clones share its connections.
///
/// It must be opened and used in a tokio runtime with I/O and time enabled. The [crate] describes
/// its guarantees.
#[derive(Clone)]
pub struct PostgresStore {
    pub(crate) connections: Arc<Connections>,
    pub(crate) permits: Arc<WritePermits>,
    pub(crate) listener: Arc<Listener>,
    pub(crate) lookup_deadline: Duration,
    pub(crate) notifies: bool,
    pub(crate) schema_id: SchemaId,
}

impl PostgresStore {
    fn new(
        connections: Connections,
        options: &PgConnectOptions,
        settings: &PostgresSettings,
        schema_id: SchemaId,
    ) -> Self {
        let channel = connections.database.schema.as_str().to_owned();
        let server = (!settings.is_pooled).then(|| (options.clone(), channel));
        Self {
            connections: Arc::new(connections),
            permits: Arc::new(WritePermits::new()),
            listener: Arc::new(Listener::new(server)),
            lookup_deadline: settings.lookup_deadline,
            notifies: settings.notifies,
            schema_id,
        }
    }

    /// Opens the store at a URL such as `postgres://user:password@host:5432/database`, with the
    /// default settings. [`PgConnectOptions`] parses it, and takes missing parts from `PGHOST` and
    /// the other environment variables of PostgreSQL's clients. Creates or updates the store's
    /// schema if necessary.
    ///
    /// # Errors
    ///
    /// Returns a [`ConnectError`] if the server cannot be reached, or if the database cannot hold a
    /// store. Nothing is changed then, except by migrations that were completed.
    pub async fn connect(url: &str) -> Result<Self, ConnectError> {
        Self::connect_with(url, PostgresSettings::default()).await
    }

    /// Opens the store at a URL, with settings.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`connect`](Self::connect).
    pub async fn connect_with(url: &str, settings: PostgresSettings) -> Result<Self, ConnectError> {
        let options = connections::options(parse(url)?, settings.is_pooled);
        let database = settings.database(&options)?;
        let connections =
            Connections::own(database, &options, settings.connections, settings.is_pooled);
        Self::open(connections, &options, &settings).await
    }

    /// Opens the store with a pool of the host's for lookups and changes, and with the default
    /// settings. For the change log, the store opens up to two more connections with the pool's
    /// options.
    ///
    /// The store does not need the pool's `test_before_acquire`, which costs each lookup a second
    /// round trip. Statements run at the isolation level that the pool's connections have by
    /// default, which should be `read committed`.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`connect`](Self::connect).
    pub async fn from_pool(pool: &PgPool) -> Result<Self, ConnectError> {
        Self::from_pool_with(pool, PostgresSettings::default()).await
    }

    /// Opens the store with a pool of the host's, as [`from_pool`](Self::from_pool) does, with
    /// settings. [`PostgresSettings::connections`] has no effect.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`connect`](Self::connect).
    pub async fn from_pool_with(
        pool: &PgPool,
        settings: PostgresSettings,
    ) -> Result<Self, ConnectError> {
        let options = PgConnectOptions::clone(&pool.connect_options());
        let options = connections::options(options, settings.is_pooled);
        let database = settings.database(&options)?;
        let connections =
            Connections::of_host(pool.clone(), database, &options, settings.is_pooled);
        Self::open(connections, &options, &settings).await
    }

    async fn open(
        connections: Connections,
        options: &PgConnectOptions,
        settings: &PostgresSettings,
    ) -> Result<Self, ConnectError> {
        let mode = if settings.migrates { SchemaMode::MigrateAndUse } else { SchemaMode::Check };
        let id = schema::prepare(options, &connections.database, mode).await?;
        Ok(Self::new(connections, options, settings, id))
    }

    /// Creates the schema `hallpass` or updates it to this version, and does nothing else. Use it
    /// if the role of the service may not create the schema. Does nothing if the schema is up to
    /// date.
    ///
    /// # Errors
    ///
    /// Returns a [`ConnectError`], for example [`ConnectError::Newer`].
    pub async fn migrate(url: &str) -> Result<(), ConnectError> {
        Self::migrate_with(url, PostgresSettings::default()).await
    }

    /// Creates or updates the schema that the settings name, as [`migrate`](Self::migrate) does for
    /// `hallpass`. Other settings have no effect.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`migrate`](Self::migrate).
    pub async fn migrate_with(url: &str, settings: PostgresSettings) -> Result<(), ConnectError> {
        let options = connections::options(parse(url)?, true);
        let database = settings.database(&options)?;
        schema::prepare(&options, &database, SchemaMode::Migrate).await.map(drop)
    }

    /// Closes the store's own connections once the running calls have ended, and stops listening.
    /// Clones are closed as well: later calls return an unavailable error. A pool of the host's
    /// stays open.
    pub async fn close(&self) {
        self.listener.close();
        self.permits.close();
        self.connections.close().await;
    }

    /// Prepares a statement of this crate.
    pub(crate) fn statement(&self, sql: &'static str) -> Statement<'static> {
        sqlx::query(self.connections.database.schema.sql(sql))
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore")
            .field("database", &self.connections.database)
            .finish_non_exhaustive()
    }
}
