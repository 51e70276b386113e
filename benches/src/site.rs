//! Where the tokens of a benchmark are: files and servers of its own.

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

/// The stores that are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// A file
    Sqlite,
    /// A server with `fsync` off
    Postgres,
    /// A server with an append-only file, synced once a second
    Redis,
}

/// A file or a server, and the store on it.
pub(crate) trait Site {
    type Store: TokenStore + Clone;

    /// What the names of its figures begin with.
    const NAME: &'static str;

    /// Whether every node is told of a change at once.
    const IS_PUSHED: bool;

    /// A handle of one node's own, by way of that network if there is one.
    async fn open(&self, network: Option<&Proxy>) -> Result<Self::Store>;

    /// Where the server listens, if there is a network to it.
    fn address(&self) -> Option<SocketAddr>;
}

/// The memory of this process.
#[derive(Default)]
pub(crate) struct InMemory(MemoryStore);

impl Site for InMemory {
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

/// A file in a folder of its own.
pub(crate) struct SqliteSite(TempDir);

impl SqliteSite {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self(tempfile::tempdir()?))
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

impl Site for SqliteSite {
    type Store = SqliteStore;

    const NAME: &'static str = "sqlite";

    /// Handles look now and then whether another one has changed anything.
    const IS_PUSHED: bool = false;

    async fn open(&self, _: Option<&Proxy>) -> Result<SqliteStore> {
        Ok(SqliteStore::open(self.file("tokens.db")).await?)
    }

    fn address(&self) -> Option<SocketAddr> {
        None
    }
}

/// A PostgreSQL server.
pub(crate) struct PostgresSite(Postgres);

impl PostgresSite {
    pub(crate) fn new() -> Result<Self> {
        Package::POSTGRES.ensure_installed()?;
        Ok(Self(Postgres::start()?))
    }

    pub(crate) fn url(&self) -> &str {
        self.0.url()
    }
}

impl Site for PostgresSite {
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
pub(crate) struct RedisSite(Arc<Redis>);

impl RedisSite {
    pub(crate) fn new() -> Result<Self> {
        Package::REDIS.ensure_installed()?;
        Ok(Self(Arc::new(Redis::start()?)))
    }

    pub(crate) fn server(&self) -> &Arc<Redis> {
        &self.0
    }
}

impl Site for RedisSite {
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
