//! Opens stores by their addresses. An address may contain a password, so no message repeats it.

use hallpass_core::{Hallpass, HallpassBuilder};
use hallpass_memory::MemoryStore;

use crate::arguments::Settings;
use crate::error::CliError;

/// The behaviour if a store does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// The store is created.
    Create,
    /// An error is returned. Otherwise a typo in the address would create an empty store.
    Fail,
}

/// The forms of the addresses that this build accepts.
const ADDRESSES: &[&str] = &[
    #[cfg(feature = "sqlite")]
    "`sqlite:FILE`",
    #[cfg(feature = "postgres")]
    "`postgres://USER@HOST/DATABASE`",
    #[cfg(feature = "redis")]
    "`redis://HOST:PORT`",
    "`memory:`",
];

/// The error for an address that requires TLS in a build without TLS.
const NO_TLS: &str = "--store requires TLS, but this build does not support it: install the \
    command with `--features rustls` or `--features native-tls`";

/// Returns whether an address requires an encrypted connection.
fn requires_tls(url: &str) -> bool {
    let modes = ["sslmode=require", "sslmode=verify-ca", "sslmode=verify-full"];
    url.starts_with("rediss:")
        || (url.starts_with("postgres") && modes.iter().any(|mode| url.contains(mode)))
}

/// Opens the store that the settings name.
pub(crate) async fn open(
    settings: &Settings,
    missing: Missing,
) -> Result<HallpassBuilder, CliError> {
    // `missing` is unused if only the memory store is built in.
    #[cfg(not(any(feature = "postgres", feature = "redis", feature = "sqlite")))]
    let _ = missing;
    let unknown = |message: &str| CliError::Usage(format!("{message}: {}", ADDRESSES.join(", ")));
    let url = settings.store.as_deref().ok_or_else(|| {
        unknown("the store is missing: set --store or the variable HALLPASS_STORE to one of these")
    })?;
    if !cfg!(any(feature = "native-tls", feature = "rustls")) && requires_tls(url) {
        return Err(CliError::Usage(NO_TLS.to_owned()));
    }
    match url.split_once(':') {
        Some(("memory", "")) => Ok(Hallpass::builder(MemoryStore::new())),
        #[cfg(feature = "sqlite")]
        Some(("sqlite", _)) => sqlite(url, missing).await.map(Hallpass::builder),
        #[cfg(feature = "postgres")]
        Some(("postgres" | "postgresql", _)) => {
            postgres(url, &settings.postgres_schema, missing).await.map(Hallpass::builder)
        }
        #[cfg(feature = "redis")]
        Some(("redis" | "rediss", _)) => {
            redis(url, &settings.redis_namespace, missing).await.map(Hallpass::builder)
        }
        _ => Err(unknown("invalid --store: use one of these")),
    }
}

/// Opens a SQLite store.
#[cfg(feature = "sqlite")]
async fn sqlite(url: &str, missing: Missing) -> Result<hallpass_sqlite::SqliteStore, CliError> {
    use hallpass_sqlite::sqlx::sqlite::SqliteConnectOptions;

    if missing == Missing::Fail
        && let Ok(options) = url.parse::<SqliteConnectOptions>()
        && let file = options.get_filename()
        && !file.as_os_str().is_empty()
        && !file.exists()
    {
        let message = "does not exist: run `hallpass migrate` to create it";
        return Err(CliError::System(format!("{} {message}", file.display())));
    }
    let store = hallpass_sqlite::SqliteStore::connect(url).await;
    store.map_err(|error| CliError::system(&error))
}

/// Opens a PostgreSQL store.
#[cfg(feature = "postgres")]
async fn postgres(
    url: &str,
    schema: &str,
    missing: Missing,
) -> Result<hallpass_postgres::PostgresStore, CliError> {
    use hallpass_postgres::{ConnectError, PostgresSettings, PostgresStore};
    // A single command needs no session state, so this also works through a transaction pooler.
    let settings = PostgresSettings::default().schema(schema).connections(2).disable_listen();
    let store =
        PostgresStore::connect_with(url, settings.migrate(missing == Missing::Create)).await;
    store.map_err(|error| match &error {
        ConnectError::Missing { .. } | ConnectError::Older { .. } => {
            CliError::System(format!("{error}: run `hallpass migrate`"))
        }
        _ => CliError::system(&error),
    })
}

/// Opens a Redis store.
#[cfg(feature = "redis")]
async fn redis(
    url: &str,
    namespace: &str,
    missing: Missing,
) -> Result<hallpass_redis::RedisStore, CliError> {
    use hallpass_redis::{ConnectError, RedisSettings, RedisStore};
    // The service itself warns about missing persistence, so this command does not.
    let settings = RedisSettings::default().namespace(namespace).accept_no_persistence();
    let store = RedisStore::connect_with(url, settings.migrate(missing == Missing::Create)).await;
    store.map_err(|error| match &error {
        ConnectError::Missing { server, namespace, .. } => CliError::System(format!(
            "there is no token store under `{namespace}` on {server}: check --redis-namespace, or \
             run `hallpass migrate` to create the store"
        )),
        _ => CliError::system(&error),
    })
}
