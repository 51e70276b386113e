//! Checks whether a database can hold a store, and applies migrations.

use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, Row as _};
use tokio::time::timeout;

use crate::connect_error::{ConnectError, Place};

/// The migrations in order. Each writes its number to the table `hallpass.migrations`.
pub(crate) const MIGRATIONS: &[&str] = &[include_str!("../migrations/0001_tokens.sql")];

/// The version of the schema that this program needs.
pub(crate) const KNOWN: i64 = MIGRATIONS.len() as i64;

/// The maximum time for opening, including the wait for other nodes that migrate the same database.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Starts the migration. Only one can run at a time.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = '8s'; \
     SET LOCAL statement_timeout = '9s'; SELECT pg_advisory_xact_lock(1213227379)";

/// Reads the catalog, which every role may do.
const INSPECT: &str = "SELECT current_setting('server_version_num')::int8 AS server, \
     current_setting('server_encoding') AS encoding, \
     EXISTS (SELECT FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace \
         WHERE nspname = 'hallpass' AND relname = 'migrations') AS made";

const VERSION: &str = "SELECT max(version)::int8 AS version FROM hallpass.migrations";

/// Returns whether the role has the rights that `roles.sql` grants.
const HAS_RIGHTS: &str = "SELECT has_table_privilege('hallpass.tokens', 'SELECT') \
     AND has_table_privilege('hallpass.tokens', 'INSERT') AND has_table_privilege('hallpass.tokens', 'UPDATE') \
     AND has_table_privilege('hallpass.tokens', 'DELETE') AND has_table_privilege('hallpass.clock', 'SELECT') \
     AND has_table_privilege('hallpass.clock', 'UPDATE') AND has_table_privilege('hallpass.changes', 'SELECT') \
     AND has_table_privilege('hallpass.changes', 'INSERT') AND has_table_privilege('hallpass.changes', 'DELETE') \
     AND (SELECT count(*) >= 5 AND bool_and(has_function_privilege(pg_proc.oid, 'EXECUTE')) FROM pg_proc \
         JOIN pg_namespace ON pg_namespace.oid = pronamespace WHERE nspname = 'hallpass') AS may";

/// The action that the schema needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SchemaMode {
    /// Check the schema.
    Check,
    /// Migrate the schema, then check it for a store.
    MigrateAndUse,
    /// Only migrate the schema.
    Migrate,
}

/// Checks the database, and migrates it if that is wanted. Several nodes may do so at once.
pub(crate) async fn prepare(
    options: &PgConnectOptions,
    mode: SchemaMode,
) -> Result<(), ConnectError> {
    let prepared = timeout(TIMEOUT, async {
        let mut connection =
            options.connect().await.map_err(|error| ConnectError::of_driver(options, error))?;
        let prepared = try_prepare(&mut connection, options, mode).await;
        // An uncommitted transaction ends with the connection.
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
    let driver_error = |error| ConnectError::of_driver(options, error);
    let place = || Place::of(options);
    let mut found = version(connection, options).await?;
    if found.unwrap_or(0) < KNOWN && mode != SchemaMode::Check {
        sqlx::raw_sql(BEGIN).execute(&mut *connection).await.map_err(driver_error)?;
        // Another node may have migrated it meanwhile.
        found = version(connection, options).await?;
        let done = usize::try_from(found.unwrap_or(0)).unwrap_or(0);
        for migration in MIGRATIONS.iter().skip(done) {
            sqlx::raw_sql(*migration).execute(&mut *connection).await.map_err(driver_error)?;
        }
        sqlx::raw_sql("COMMIT").execute(&mut *connection).await.map_err(driver_error)?;
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
        let may =
            sqlx::raw_sql(HAS_RIGHTS).fetch_one(&mut *connection).await.map_err(driver_error)?;
        if !may.try_get::<bool, _>("may").map_err(driver_error)? {
            let role = options.get_username().to_owned();
            return Err(ConnectError::Forbidden { place: place(), role });
        }
    }
    Ok(())
}

/// Returns the version of the schema; `None` if there is none.
async fn version(
    connection: &mut PgConnection,
    options: &PgConnectOptions,
) -> Result<Option<i64>, ConnectError> {
    let driver_error = |error| ConnectError::of_driver(options, error);
    let place = || Place::of(options);
    let found = sqlx::raw_sql(INSPECT).fetch_one(&mut *connection).await.map_err(driver_error)?;
    let server = found.try_get::<i64, _>("server").map_err(driver_error)? / 10_000;
    if server < 13 {
        return Err(ConnectError::ServerTooOld { place: place(), found: server });
    }
    let encoding: String = found.try_get("encoding").map_err(driver_error)?;
    if encoding != "UTF8" {
        return Err(ConnectError::Encoding { place: place(), found: encoding });
    }
    if !found.try_get::<bool, _>("made").map_err(driver_error)? {
        return Ok(None);
    }
    let version = sqlx::raw_sql(VERSION).fetch_one(&mut *connection).await.map_err(driver_error)?;
    version.try_get("version").map_err(driver_error)
}
