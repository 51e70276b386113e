//! Checks whether a database can hold a store, and applies migrations.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Decode, PgConnection, Postgres, Row as _,
    Type,
};
use tokio::time::timeout;

use crate::connect_error::{ConnectError, DatabaseAddress};

/// The migrations in order. Each writes its number to the table `hallpass.migrations`.
pub(crate) const MIGRATIONS: &[&str] = &[include_str!("../migrations/0001_tokens.sql")];

/// The version of the schema that this program needs.
pub(crate) const KNOWN: i64 = MIGRATIONS.len() as i64;

/// The maximum time for opening, including the wait for other nodes that migrate the same database.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Starts the migration. Only one can run at a time, because it takes an advisory lock.
///
/// The number identifies the lock in the whole database: it is the text `HPas` as a 32-bit integer.
/// It must never change, because programs of different versions may migrate at the same time.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = '8s'; \
     SET LOCAL statement_timeout = '9s'; SELECT pg_advisory_xact_lock(1213227379)";

/// Reads the system catalog, which every role may read.
const INSPECT: &str = "SELECT current_setting('server_version_num')::int8 AS server, \
     current_setting('server_encoding') AS encoding, \
     EXISTS (SELECT FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace \
         WHERE nspname = 'hallpass' AND relname = 'migrations') AS has_schema";

/// Reads the schema in which the role creates its tables, and whether it contains relations that
/// the role may read. Those of an extension do not count.
const FIRST_SCHEMA: &str = "SELECT current_schema()::text AS name, \
     EXISTS (SELECT FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace \
         WHERE nspname = current_schema() AND relkind IN ('r', 'p', 'v', 'm', 'f') \
         AND has_table_privilege(pg_class.oid, 'SELECT') \
         AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass \
             AND objid = pg_class.oid AND deptype = 'e')) AS is_in_use";

const VERSION: &str = "SELECT max(version)::int8 AS version, \
     (date_part('epoch', min(applied_at)) * 1000000)::int8 AS created_at FROM hallpass.migrations";

/// Returns whether the role has the rights that `roles.sql` grants.
const HAS_RIGHTS: &str = "SELECT has_table_privilege('hallpass.tokens', 'SELECT') \
     AND has_table_privilege('hallpass.tokens', 'INSERT') AND has_table_privilege('hallpass.tokens', 'UPDATE') \
     AND has_table_privilege('hallpass.tokens', 'DELETE') AND has_table_privilege('hallpass.clock', 'SELECT') \
     AND has_table_privilege('hallpass.clock', 'UPDATE') AND has_table_privilege('hallpass.changes', 'SELECT') \
     AND has_table_privilege('hallpass.changes', 'INSERT') AND has_table_privilege('hallpass.changes', 'DELETE') \
     AND (SELECT count(*) >= 5 AND bool_and(has_function_privilege(pg_proc.oid, 'EXECUTE')) FROM pg_proc \
         JOIN pg_namespace ON pg_namespace.oid = pronamespace WHERE nspname = 'hallpass' AND proname IN \
         ('lock_owner', 'has_token', 'lock_and_count', 'revoke_owner', 'delete_owner')) AS has_rights";

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

/// A schema that exists in the database.
#[derive(Clone, Copy)]
struct ExistingSchema {
    version: i64,
    id: SchemaId,
}

/// The schema in which the role creates its tables. It has no name if the role has no such schema.
struct FirstSchema {
    name: Option<String>,
    is_in_use: bool,
}

/// The time at which a schema was created, in microseconds. It distinguishes the schemas of
/// different databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SchemaId(pub(crate) i64);

/// Checks the database, and migrates it if requested. Several nodes may do so at once.
pub(crate) async fn prepare(
    options: &PgConnectOptions,
    database: &DatabaseAddress,
    mode: SchemaMode,
) -> Result<SchemaId, ConnectError> {
    let role = options.get_username();
    let prepared = timeout(TIMEOUT, async {
        let connection = options.connect().await;
        let connection =
            connection.map_err(|error| ConnectError::of_driver(database, role, error))?;
        let mut opening = Opening { connection, database, role };
        let prepared = opening.prepare(mode).await;
        // An uncommitted transaction ends with the connection.
        let _ = opening.connection.close().await;
        prepared
    });
    prepared.await.map_err(|late| ConnectError::unreachable(database, late))?
}

/// A connection that checks and migrates a schema.
struct Opening<'o> {
    connection: PgConnection,
    database: &'o DatabaseAddress,
    role: &'o str,
}

impl Opening<'_> {
    async fn prepare(&mut self, mode: SchemaMode) -> Result<SchemaId, ConnectError> {
        let database = self.database.clone();
        let mut schema = self.inspect().await?;
        let version = schema.map_or(0, |schema| schema.version);
        if version < KNOWN && mode != SchemaMode::Check {
            schema = self.migrate().await?;
        }
        let Some(ExistingSchema { version, id }) = schema else {
            return Err(ConnectError::Missing { database });
        };
        if version < KNOWN {
            return Err(ConnectError::Older { database, found: version, known: KNOWN });
        }
        if version > KNOWN {
            return Err(ConnectError::Newer { database, found: version, known: KNOWN });
        }
        if mode != SchemaMode::Migrate {
            let row = self.row(HAS_RIGHTS).await?;
            if !self.read::<bool>(&row, "has_rights")? {
                return Err(ConnectError::Forbidden { database, role: self.role.to_owned() });
            }
        }
        Ok(id)
    }

    /// Applies the migrations that are missing, in one transaction.
    async fn migrate(&mut self) -> Result<Option<ExistingSchema>, ConnectError> {
        self.run(BEGIN).await?;
        // Another node may have migrated it in the meantime.
        let schema = self.inspect().await?;
        let applied = schema.map_or(0, |schema| usize::try_from(schema.version).unwrap_or(0));
        let before = self.first_schema().await?;
        for migration in MIGRATIONS.iter().skip(applied) {
            self.run(migration).await?;
        }
        // A new schema with the name of the role is the first one in the usual `search_path`.
        if before.is_in_use && self.first_schema().await?.name != before.name {
            let (database, role) = (self.database.clone(), self.role.to_owned());
            return Err(ConnectError::FirstInSearchPath { database, role });
        }
        self.run("COMMIT").await?;
        self.inspect().await
    }

    async fn first_schema(&mut self) -> Result<FirstSchema, ConnectError> {
        let row = self.row(FIRST_SCHEMA).await?;
        Ok(FirstSchema { name: self.read(&row, "name")?, is_in_use: self.read(&row, "is_in_use")? })
    }

    /// Reads the version and the id of the schema. Returns `None` if it does not exist.
    async fn inspect(&mut self) -> Result<Option<ExistingSchema>, ConnectError> {
        let database = self.database.clone();
        let row = self.row(INSPECT).await?;
        let server = self.read::<i64>(&row, "server")? / 10_000;
        if server < 13 {
            return Err(ConnectError::ServerTooOld { database, found: server });
        }
        let encoding: String = self.read(&row, "encoding")?;
        if encoding != "UTF8" {
            return Err(ConnectError::Encoding { database, found: encoding });
        }
        if !self.read::<bool>(&row, "has_schema")? {
            return Ok(None);
        }
        let row = self.row(VERSION).await?;
        let id = SchemaId(self.read(&row, "created_at")?);
        Ok(Some(ExistingSchema { version: self.read(&row, "version")?, id }))
    }

    async fn run(&mut self, sql: &str) -> Result<(), ConnectError> {
        let sql = AssertSqlSafe(self.database.schema.write(sql).into_owned());
        let result = sqlx::raw_sql(sql).execute(&mut self.connection).await;
        result.map(drop).map_err(|error| self.driver_error(error))
    }

    async fn row(&mut self, sql: &str) -> Result<PgRow, ConnectError> {
        let sql = AssertSqlSafe(self.database.schema.write(sql).into_owned());
        let row = sqlx::raw_sql(sql).fetch_one(&mut self.connection).await;
        row.map_err(|error| self.driver_error(error))
    }

    fn read<'r, T: Decode<'r, Postgres> + Type<Postgres>>(
        &self,
        row: &'r PgRow,
        column: &str,
    ) -> Result<T, ConnectError> {
        row.try_get(column).map_err(|error| self.driver_error(error))
    }

    fn driver_error(&self, error: sqlx::Error) -> ConnectError {
        ConnectError::of_driver(self.database, self.role, error)
    }
}
