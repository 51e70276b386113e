//! Stores by their addresses. An address may hold a password: it is never repeated.

use hallpass_core::{Hallpass, HallpassBuilder};
use hallpass_memory::MemoryStore;

use crate::arguments::Settings;
use crate::failure::Failure;

/// Whether a store that is not there is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// It is set up.
    Create,
    /// It is an error: a typo in its address would otherwise become an empty store.
    Refuse,
}

/// What the addresses of the stores in this build look like.
const ADDRESSES: &[&str] = &[
    #[cfg(feature = "sqlite")]
    "`sqlite:FILE`",
    #[cfg(feature = "postgres")]
    "`postgres://USER@HOST/DATABASE`",
    #[cfg(feature = "redis")]
    "`redis://HOST:PORT`",
    "`memory:`",
];

/// Opens the store that the settings name.
pub(crate) async fn open(
    settings: &Settings,
    missing: Missing,
) -> Result<HallpassBuilder, Failure> {
    // Memory and Redis are there as soon as they are asked.
    #[cfg(not(any(feature = "postgres", feature = "sqlite")))]
    let _ = missing;
    let unknown = |said: &str| Failure::Usage(format!("{said}: {}", ADDRESSES.join(", ")));
    let url = settings.store.as_deref().ok_or_else(|| {
        unknown("say where the tokens are, with --store or the variable HALLPASS_STORE")
    })?;
    match url.split_once(':') {
        Some(("memory", "")) => Ok(Hallpass::builder(MemoryStore::new())),
        #[cfg(feature = "sqlite")]
        Some(("sqlite", _)) => sqlite(url, missing).await.map(Hallpass::builder),
        #[cfg(feature = "postgres")]
        Some(("postgres" | "postgresql", _)) => postgres(url, missing).await.map(Hallpass::builder),
        #[cfg(feature = "redis")]
        Some(("redis" | "rediss", _)) => {
            redis(url, &settings.redis_namespace).await.map(Hallpass::builder)
        }
        _ => Err(unknown("--store takes one of these")),
    }
}

#[cfg(feature = "sqlite")]
async fn sqlite(url: &str, missing: Missing) -> Result<hallpass_sqlite::SqliteStore, Failure> {
    let path = url.strip_prefix("sqlite:").unwrap_or(url);
    let path = std::path::Path::new(path.strip_prefix("//").unwrap_or(path));
    if missing == Missing::Refuse && !path.as_os_str().is_empty() && !path.exists() {
        let said = "is not there: `hallpass migrate` sets it up";
        return Err(Failure::Trouble(format!("{} {said}", path.display())));
    }
    let store = hallpass_sqlite::SqliteStore::connect(url).await;
    store.map_err(|error| Failure::trouble(&error))
}

#[cfg(feature = "postgres")]
async fn postgres(
    url: &str,
    missing: Missing,
) -> Result<hallpass_postgres::PostgresStore, Failure> {
    use hallpass_postgres::{ConnectError, PostgresSettings};
    // One command is no reason to keep anything in a session, and a pooler may be in between.
    let settings = PostgresSettings::default().connections(2).disable_listen();
    let store = settings.migrate(missing == Missing::Create).connect(url).await;
    store.map_err(|error| match &error {
        ConnectError::Missing { .. } | ConnectError::Older { .. } => {
            Failure::Trouble(format!("{error}: `hallpass migrate` does"))
        }
        _ => Failure::trouble(&error),
    })
}

/// Redis has no schema to set up: the first change makes what there is.
#[cfg(feature = "redis")]
async fn redis(url: &str, namespace: &str) -> Result<hallpass_redis::RedisStore, Failure> {
    // Whether its persistence will do is for the service to say.
    let settings = hallpass_redis::RedisSettings::default().namespace(namespace);
    let store =
        hallpass_redis::RedisStore::connect_with(url, settings.accept_no_persistence()).await;
    store.map_err(|error| Failure::trouble(&error))
}
