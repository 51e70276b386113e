//! What a database must be for a store to work on it, and how an empty or older one becomes so.

use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, Row as _};
use tokio::time::timeout;

use crate::connect_error::{ConnectError, Place};

/// From each version of the schema to the next. Each notes its number in a table of Hallpass's own.
pub(crate) const MIGRATIONS: &[&str] = &[include_str!("../migrations/0001_tokens.sql")];

/// The version that this program works on.
pub(crate) const KNOWN: i64 = MIGRATIONS.len() as i64;

/// How long opening waits for the server, and for others who open the same database.
const PATIENCE: Duration = Duration::from_secs(10);

/// One at a time. What goes on below is undone if it is not committed.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = '8s'; \
     SET LOCAL statement_timeout = '9s'; SELECT pg_advisory_xact_lock(1213227379)";

/// What the catalog says, which everybody may read.
const LOOK: &str = "SELECT current_setting('server_version_num')::int8 AS server, \
     current_setting('server_encoding') AS encoding, \
     EXISTS (SELECT FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace \
         WHERE nspname = 'hallpass' AND relname = 'migrations') AS made";

const VERSION: &str = "SELECT max(version)::int8 AS version FROM hallpass.migrations";

/// What the role needs, as `roles.sql` grants it.
const MAY: &str = "SELECT has_table_privilege('hallpass.tokens', 'SELECT') \
     AND has_table_privilege('hallpass.tokens', 'INSERT') AND has_table_privilege('hallpass.tokens', 'UPDATE') \
     AND has_table_privilege('hallpass.tokens', 'DELETE') AND has_table_privilege('hallpass.clock', 'SELECT') \
     AND has_table_privilege('hallpass.clock', 'UPDATE') AND has_table_privilege('hallpass.changes', 'SELECT') \
     AND has_table_privilege('hallpass.changes', 'INSERT') AND has_table_privilege('hallpass.changes', 'DELETE') \
     AS may";

/// Who waits for changes of the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SchemaMode {
    /// Nobody: it must be right.
    Check,
    /// Whoever opens a store, and then uses it.
    MigrateAndUse,
    /// Whoever prepares a database for others.
    Migrate,
}

/// Sees that the database is one to work on, and makes it one if that is wished. Several nodes may
/// do so at once.
pub(crate) async fn prepare(
    options: &PgConnectOptions,
    mode: SchemaMode,
) -> Result<(), ConnectError> {
    let prepared = timeout(PATIENCE, async {
        let mut connection =
            options.connect().await.map_err(|error| ConnectError::of_driver(options, error))?;
        let prepared = try_prepare(&mut connection, options, mode).await;
        // Whatever was begun and not committed ends with it.
        let _ = connection.close().await;
        prepared
    });
    prepared.await.map_err(|late| ConnectError::unreachable(options, late))?
}

async fn try_prepare(
    connection: &mut PgConnection,
    options: &PgConnectOptions,
    mode: SchemaMode,
) -> Result<(), ConnectError> {
    let trouble = |error| ConnectError::of_driver(options, error);
    let place = || Place::of(options);
    let mut found = version(connection, options).await?;
    if found.unwrap_or(0) < KNOWN && mode != SchemaMode::Check {
        sqlx::raw_sql(BEGIN).execute(&mut *connection).await.map_err(trouble)?;
        // Another may have done it meanwhile.
        found = version(connection, options).await?;
        let done = usize::try_from(found.unwrap_or(0)).unwrap_or(0);
        for migration in MIGRATIONS.iter().skip(done) {
            sqlx::raw_sql(*migration).execute(&mut *connection).await.map_err(trouble)?;
        }
        sqlx::raw_sql("COMMIT").execute(&mut *connection).await.map_err(trouble)?;
        found = version(connection, options).await?;
    }
    match found {
        None => return Err(ConnectError::Missing { place: place() }),
        Some(found) if found < KNOWN => {
            return Err(ConnectError::Older { place: place(), found, known: KNOWN });
        }
        Some(found) if found > KNOWN => {
            return Err(ConnectError::Newer { place: place(), found, known: KNOWN });
        }
        Some(_) => {}
    }
    if mode != SchemaMode::Migrate {
        let may = sqlx::raw_sql(MAY).fetch_one(&mut *connection).await.map_err(trouble)?;
        if !may.try_get::<bool, _>("may").map_err(trouble)? {
            let role = options.get_username().to_owned();
            return Err(ConnectError::Forbidden { place: place(), role });
        }
    }
    Ok(())
}

/// The version of the schema; `None` if there is none.
async fn version(
    connection: &mut PgConnection,
    options: &PgConnectOptions,
) -> Result<Option<i64>, ConnectError> {
    let trouble = |error| ConnectError::of_driver(options, error);
    let place = || Place::of(options);
    let look = sqlx::raw_sql(LOOK).fetch_one(&mut *connection).await.map_err(trouble)?;
    let server = look.try_get::<i64, _>("server").map_err(trouble)? / 10_000;
    if server < 13 {
        return Err(ConnectError::ServerTooOld { place: place(), found: server });
    }
    let encoding: String = look.try_get("encoding").map_err(trouble)?;
    if encoding != "UTF8" {
        return Err(ConnectError::Encoding { place: place(), found: encoding });
    }
    if !look.try_get::<bool, _>("made").map_err(trouble)? {
        return Ok(None);
    }
    let version = sqlx::raw_sql(VERSION).fetch_one(&mut *connection).await.map_err(trouble)?;
    version.try_get("version").map_err(trouble)
}
