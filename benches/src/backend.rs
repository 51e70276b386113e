//! The stores that the benchmarks use, on files and servers of their own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use clap::ValueEnum;
use hallpass_core::store::TokenStore;
use hallpass_memory::MemoryStore;
use hallpass_postgres::PostgresStore;
use hallpass_redis::RedisStore;
use hallpass_servers::{Package, Postgres, Proxy, Redis};
use hallpass_sqlite::SqliteStore;
use tempfile::TempDir;

/// A store that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// A SQLite file
    Sqlite,
    /// A PostgreSQL server with `fsync` off
    Postgres,
    /// A Redis server with an append-only file that is synced once a second
    Redis,
}

/// A file or server that holds a store.
pub(crate) trait Backend {
    type Store: TokenStore + Clone;

    /// The prefix of the names of its results.
    const NAME: &'static str;

    /// Whether changes are pushed to all nodes.
    const IS_PUSHED: bool;

    /// Opens a store handle for one node, through this proxy if there is one.
    async fn open(&self, network: Option<&Proxy>) -> Result<Self::Store>;

    /// Returns the address of the server, if there is one.
    fn address(&self) -> Option<SocketAddr>;
}

/// A store in the memory of this process.
#[derive(Default)]
pub(crate) struct InMemory(MemoryStore);

impl Backend for InMemory {
    type Store = MemoryStore;

    const NAME: &'static str = "memory";

    const IS_PUSHED: bool = true;

    async fn open(&self, _: Option<&Proxy>) -> Result<MemoryStore> {
        Ok(self.0.clone())
    }

    fn address(&self) -> Option<SocketAddr> {
        None
    }
}

/// A SQLite file in a temporary folder.
pub(crate) struct SqliteBackend(TempDir);

impl SqliteBackend {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self(tempfile::tempdir()?))
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

impl Backend for SqliteBackend {
    type Store = SqliteStore;

    const NAME: &'static str = "sqlite";

    /// Handles poll for changes of other handles.
    const IS_PUSHED: bool = false;

    async fn open(&self, _: Option<&Proxy>) -> Result<SqliteStore> {
        Ok(SqliteStore::open(self.file("tokens.db")).await?)
    }

    fn address(&self) -> Option<SocketAddr> {
        None
    }
}

/// A PostgreSQL server.
pub(crate) struct PostgresBackend(Postgres);

impl PostgresBackend {
    pub(crate) fn new() -> Result<Self> {
        Package::POSTGRES.ensure_installed()?;
        Ok(Self(Postgres::start()?))
    }

    pub(crate) fn url(&self) -> &str {
        self.0.url()
    }
}

impl Backend for PostgresBackend {
    type Store = PostgresStore;

    const NAME: &'static str = "postgres";

    const IS_PUSHED: bool = true;

    async fn open(&self, network: Option<&Proxy>) -> Result<PostgresStore> {
        Ok(PostgresStore::connect(&by_way_of(network, self.0.url())).await?)
    }

    fn address(&self) -> Option<SocketAddr> {
        Some(self.0.address())
    }
}

/// A Redis server.
pub(crate) struct RedisBackend(Arc<Redis>);

impl RedisBackend {
    pub(crate) fn new() -> Result<Self> {
        Package::REDIS.ensure_installed()?;
        Ok(Self(Arc::new(Redis::start()?)))
    }

    pub(crate) fn server(&self) -> &Arc<Redis> {
        &self.0
    }
}

impl Backend for RedisBackend {
    type Store = RedisStore;

    const NAME: &'static str = "redis";

    const IS_PUSHED: bool = true;

    async fn open(&self, network: Option<&Proxy>) -> Result<RedisStore> {
        Ok(RedisStore::connect(&by_way_of(network, self.0.url())).await?)
    }

    fn address(&self) -> Option<SocketAddr> {
        Some(self.0.address())
    }
}

fn by_way_of(network: Option<&Proxy>, url: &str) -> String {
    network.map_or_else(|| url.to_owned(), |network| network.url(url))
}
