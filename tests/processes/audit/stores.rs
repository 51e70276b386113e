//! The databases that the tests run on.

use std::path::PathBuf;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use hallpass_core::store::TokenStore;
use hallpass_postgres::PostgresStore;
use hallpass_redis::{RedisSettings, RedisStore};
use hallpass_servers::{Package, Postgres, Redis};
use hallpass_sqlite::SqliteStore;
use tempfile::TempDir;

/// An empty database, on which any number of stores can be opened.
pub(crate) trait Database: Send + Sync {
    type Store: TokenStore;

    fn create() -> Self;

    async fn open(&self) -> Self::Store;

    /// Returns the arguments for the process `audit-process` to open the same database.
    fn arguments(&self) -> [String; 2];
}

pub(crate) struct SqliteFile(TempDir);

impl SqliteFile {
    fn path(&self) -> PathBuf {
        self.0.path().join("tokens.db")
    }
}

impl Database for SqliteFile {
    type Store = SqliteStore;

    fn create() -> Self {
        Self(tempfile::tempdir().expect("a directory"))
    }

    async fn open(&self) -> SqliteStore {
        SqliteStore::open(self.path()).await.expect("the store opens")
    }

    fn arguments(&self) -> [String; 2] {
        ["sqlite".to_owned(), self.path().to_str().expect("a path in UTF-8").to_owned()]
    }
}

pub(crate) struct PostgresDatabase(String);

impl Database for PostgresDatabase {
    type Store = PostgresStore;

    fn create() -> Self {
        Self(Postgres::shared().new_database().expect("a database"))
    }

    async fn open(&self) -> PostgresStore {
        PostgresStore::connect(&self.0).await.expect("the store opens")
    }

    fn arguments(&self) -> [String; 2] {
        ["postgres".to_owned(), self.0.clone()]
    }
}

pub(crate) struct RedisNamespace(String);

static REDIS: LazyLock<Redis> = LazyLock::new(|| {
    Package::REDIS.ensure_installed().expect("cannot install Redis");
    Redis::start().expect("cannot start Redis")
});

impl Database for RedisNamespace {
    type Store = RedisStore;

    fn create() -> Self {
        static CREATED: AtomicU64 = AtomicU64::new(0);
        Self(format!("audit-{}", CREATED.fetch_add(1, Ordering::Relaxed)))
    }

    async fn open(&self) -> RedisStore {
        let settings = RedisSettings::default().namespace(&self.0);
        RedisStore::connect_with(REDIS.url(), settings).await.expect("the store opens")
    }

    fn arguments(&self) -> [String; 2] {
        [format!("redis:{}", self.0), REDIS.url().to_owned()]
    }
}

/// Defines a module with the name of a generic test, which has one test for each named database.
macro_rules! on_stores {
    ($test:ident: $($name:ident $database:ident),+) => {
        mod $test {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $name() {
                    super::$test::<crate::stores::$database>().await;
                }
            )+
        }
    };
}

pub(crate) use on_stores;
