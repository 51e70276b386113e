//! Opens the store that a URL names.

use crate::HallpassBuilder;

/// The URLs of the stores that this build contains.
const URLS: &[&str] = &[
    #[cfg(feature = "sqlite")]
    "`sqlite:FILE`",
    #[cfg(feature = "postgres")]
    "`postgres://USER:PASSWORD@HOST/DATABASE`",
    #[cfg(feature = "redis")]
    "`redis://HOST:PORT`",
    #[cfg(feature = "memory")]
    "`memory:`",
];

/// The error of [`connect`] if it cannot open a store. Neither the message nor [`Debug`] contains a
/// password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The text is not the URL of a store that this build contains.
    #[error(
        "unknown URL of a store: this build accepts {}. Correct it, or enable the store's feature of \
         the crate `hallpass`",
        if URLS.is_empty() { "none".to_owned() } else { URLS.join(", ") }
    )]
    Url,
    /// The SQLite store could not be opened.
    #[cfg(feature = "sqlite")]
    #[error(transparent)]
    Sqlite(#[from] hallpass_sqlite::ConnectError),
    /// The PostgreSQL store could not be opened.
    #[cfg(feature = "postgres")]
    #[error(transparent)]
    Postgres(#[from] hallpass_postgres::ConnectError),
    /// The Redis store could not be opened.
    #[cfg(feature = "redis")]
    #[error(transparent)]
    Redis(#[from] hallpass_redis::ConnectError),
}

/// Opens the store that a URL names, and returns a builder for a handle. Use it in a service that
/// reads the URL of its database from its settings.
///
/// | URL | store | feature |
/// |---|---|---|
/// | `sqlite:FILE`, `sqlite://FILE` | [`SqliteStore::connect`](crate::SqliteStore::connect) | `sqlite` or `sqlite-bundled` |
/// | `postgres://..`, `postgresql://..` | [`PostgresStore::connect`](crate::PostgresStore::connect) | `postgres` |
/// | `redis://..`, and the other schemes of the driver | [`RedisStore::connect`](crate::RedisStore::connect) | `redis`; `rediss://` needs a TLS feature of the crate `redis`, too |
/// | `memory:` | [`MemoryStore`](crate::MemoryStore) | `memory` |
///
/// A cache with the default settings is in front of every store but that in memory.
///
/// The database may be the service's own: the store's tables are named `hallpass_..` in SQLite, and
/// have a schema of their own in PostgreSQL. A SQLite file is created if it does not exist, and
/// switched to WAL mode.
///
/// To change settings, or to issue tokens in the service's own transactions, open the store with
/// its own functions.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # let url = format!("sqlite:{}", directory.path().join("app.db").display());
/// let hallpass = hallpass::connect(&url).await?.prefix("acme").build();
/// # hallpass.shutdown().await?;
/// # Ok(()) }
/// ```
///
/// # Errors
///
/// Returns [`ConnectError::Url`] if the text is not the URL of a store that this build contains.
/// Otherwise returns the error of the store.
pub async fn connect(url: &str) -> Result<HallpassBuilder, ConnectError> {
    match url.split_once(':') {
        #[cfg(feature = "memory")]
        Some(("memory", "")) => Ok(crate::Hallpass::builder(crate::MemoryStore::new())),
        #[cfg(feature = "sqlite")]
        Some(("sqlite", _)) => {
            let store = crate::SqliteStore::connect(url).await?;
            Ok(crate::Hallpass::builder(crate::Cached::new(store)))
        }
        #[cfg(feature = "postgres")]
        Some(("postgres" | "postgresql", _)) => {
            let store = crate::PostgresStore::connect(url).await?;
            Ok(crate::Hallpass::builder(crate::Cached::new(store)))
        }
        #[cfg(feature = "redis")]
        Some((
            "redis" | "rediss" | "valkey" | "valkeys" | "unix" | "redis+unix" | "valkey+unix",
            _,
        )) => {
            let store = crate::RedisStore::connect(url).await?;
            Ok(crate::Hallpass::builder(crate::Cached::new(store)))
        }
        _ => Err(ConnectError::Url),
    }
}
