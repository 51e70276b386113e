//! The connections of a store, with the time limits of every use.

use std::time::Duration;

use hallpass_core::store::StoreError;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgRow};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, PgConnection, Postgres, Row as _};
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout, timeout_at};

use crate::connect_error::DatabaseAddress;
use crate::dialect::Statement;
use crate::error_class::{AtServer, ErrorClass, error_class, is_rejection, store_error};

/// The maximum time that a call waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_millis(800);

/// The maximum time for connecting. This is longer than any call waits, so that a later call can
/// use the connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// The maximum time in which a connection whose call was dropped must become usable again.
const RESET_TIMEOUT: Duration = Duration::from_secs(1);

/// The number of times that a read is repeated because its connection turns out to be dead. After a
/// restart of the server, all idle connections are dead.
const DEAD_CONNECTIONS: u32 = 16;

/// The settings of the store's own connections. A statement that no call waits for any more ends
/// soon. After waiting for a lock, a change sees the changes that were committed during the wait.
const SESSION: &str =
    "SET statement_timeout = 2000; SET default_transaction_isolation = 'read committed'";

/// Starts a transaction through a pooler.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = 2000; \
     SET LOCAL idle_in_transaction_session_timeout = 1000";

/// Starts a transaction for a list. Compiling such a statement takes longer than running it. On a
/// standby the last part fails, because a standby assigns no transaction ids.
pub(crate) const BEGIN_LIST: &str = "BEGIN READ ONLY; SET LOCAL statement_timeout = 2000; SET LOCAL jit = off; \
     SET LOCAL idle_in_transaction_session_timeout = 1000; \
     SELECT CASE WHEN pg_is_in_recovery() THEN txid_current() END";

/// Starts a transaction for maintenance, which does not wait long for locks. It finds rows by their
/// keys, regardless of the statistics, because its duration must not depend on the number of other
/// rows.
pub(crate) const BEGIN_MAINTENANCE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; \
     SET LOCAL lock_timeout = 300; SET LOCAL statement_timeout = 1200; SET LOCAL enable_seqscan = off; \
     SET LOCAL idle_in_transaction_session_timeout = 1000";

/// The connections of a store.
#[derive(Debug)]
pub(crate) struct Connections {
    /// The pool for lookups, lists and changes: the host's pool, or the store's own.
    pub(crate) main: PgPool,
    /// A pool of one connection for following the log, which therefore never waits for other calls.
    pub(crate) sync: PgPool,
    options: PgConnectOptions,
    /// The server's address, and the store's schema.
    pub(crate) database: DatabaseAddress,
    is_own: bool,
    /// Set if each transaction may run on another connection of the server.
    pub(crate) is_pooled: bool,
}

impl Connections {
    /// Prepares a pool of the store's own. Connections are opened when they are first needed.
    pub(crate) fn own(
        database: DatabaseAddress,
        options: &PgConnectOptions,
        size: u32,
        is_pooled: bool,
    ) -> Self {
        let main = pool(size, is_pooled).connect_lazy_with(options.clone());
        Self::with(main, database, options, true, is_pooled)
    }

    /// Uses the host's pool.
    pub(crate) fn of_host(
        main: PgPool,
        database: DatabaseAddress,
        options: &PgConnectOptions,
        is_pooled: bool,
    ) -> Self {
        Self::with(main, database, options, false, is_pooled)
    }

    fn with(
        main: PgPool,
        database: DatabaseAddress,
        options: &PgConnectOptions,
        is_own: bool,
        is_pooled: bool,
    ) -> Self {
        let sync = pool(1, is_pooled).connect_lazy_with(options.clone());
        Self { main, sync, options: options.clone(), database, is_own, is_pooled }
    }

    /// Converts an error of a call that changed nothing.
    pub(crate) fn store_error(&self, error: sqlx::Error) -> StoreError {
        store_error(&self.database, error)
    }

    /// Adds the server's address to an error.
    pub(crate) fn at_server(&self, error: sqlx::Error) -> AtServer {
        AtServer { database: self.database.clone(), error }
    }

    /// Closes the pools, except that of the host.
    pub(crate) async fn close(&self) {
        self.sync.close().await;
        if self.is_own {
            self.main.close().await;
        }
    }

    /// Opens a connection outside of the pools, whose connections may all be dead.
    pub(crate) async fn open_fresh(&self, deadline: Instant) -> Result<PgConnection, sqlx::Error> {
        let opening = async {
            let mut connection = self.options.connect().await?;
            prepare_session(&mut connection, self.is_pooled).await?;
            Ok(connection)
        };
        timeout_at(deadline, opening).await.unwrap_or_else(|_| Err(timed_out()))
    }

    /// Runs a statement in a transaction of its own, on a given connection.
    pub(crate) async fn run(
        &self,
        connection: &mut PgConnection,
        statement: Statement<'_>,
        deadline: Instant,
    ) -> Result<Vec<PgRow>, sqlx::Error> {
        execute(connection, self.begin(), statement, deadline).await
    }

    /// Returns how an explicit transaction starts, if each statement needs one. Preparing and
    /// running are two messages, and a pooler could give them to two connections of the server.
    fn begin(&self) -> Option<&'static str> {
        self.is_pooled.then_some(BEGIN)
    }

    /// Reads rows.
    ///
    /// # Errors
    ///
    /// Returns [`unavailable`](StoreError::unavailable) after the timeout, and if the connection
    /// leads to a standby.
    pub(crate) async fn read<'q>(
        &self,
        pool: &PgPool,
        statement: impl Fn() -> Statement<'q>,
        timeout: Duration,
    ) -> Result<Vec<PgRow>, StoreError> {
        let deadline = Instant::now() + timeout;
        let rows = repeat(pool, self.begin(), statement, deadline).await;
        let rows = rows.map_err(|error| self.store_error(error))?;
        if is_of_standby(&rows) {
            return Err(StoreError::unavailable(Standby));
        }
        Ok(rows)
    }

    /// Runs a statement that can be repeated, in a transaction that starts with `begin`.
    pub(crate) async fn transaction<'q>(
        &self,
        begin: &'static str,
        statement: impl Fn() -> Statement<'q>,
        timeout: Duration,
    ) -> Result<Vec<PgRow>, sqlx::Error> {
        repeat(&self.main, Some(begin), statement, Instant::now() + timeout).await
    }
}

/// Runs a statement that changes nothing, or that can be run twice. If its connection turns out to
/// be dead, the next one is tried.
async fn repeat<'q>(
    pool: &PgPool,
    begin: Option<&'static str>,
    statement: impl Fn() -> Statement<'q>,
    deadline: Instant,
) -> Result<Vec<PgRow>, sqlx::Error> {
    let mut dead = 0;
    loop {
        let mut connection = CheckedOut::acquire(pool, deadline).await?;
        let error = match execute(connection.get(), begin, statement(), deadline).await {
            Ok(rows) => {
                if is_of_standby(&rows) {
                    // The next connection may lead to the primary.
                    connection.close();
                } else {
                    connection.give_back();
                }
                return Ok(rows);
            }
            Err(error) => error,
        };
        let class = error_class(&error);
        let is_timeout = Instant::now() >= deadline;
        connection.give_back_after(&error, deadline).await;
        if class != ErrorClass::Lost || is_timeout || dead == DEAD_CONNECTIONS {
            return Err(error);
        }
        dead += 1;
    }
}

/// Runs a statement, in an explicit transaction if `begin` is given.
///
/// All rows are fetched, because only then has the server confirmed the commit.
async fn execute(
    connection: &mut PgConnection,
    begin: Option<&'static str>,
    statement: Statement<'_>,
    deadline: Instant,
) -> Result<Vec<PgRow>, sqlx::Error> {
    let running = async {
        let Some(begin) = begin else { return statement.fetch_all(connection).await };
        let mut transaction = connection.begin_with(begin).await?;
        // The statement is not cached, because the next transaction may run on another connection
        // of the server.
        let rows = statement.persistent(false).fetch_all(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(rows)
    };
    timeout_at(deadline, running).await.unwrap_or_else(|_| Err(timed_out()))
}

async fn prepare_session(
    connection: &mut PgConnection,
    is_pooled: bool,
) -> Result<(), sqlx::Error> {
    if !is_pooled {
        connection.execute(SESSION).await?;
    }
    Ok(())
}

/// Returns the options of every connection of our own.
pub(crate) fn options(options: PgConnectOptions, is_pooled: bool) -> PgConnectOptions {
    let options = match options.get_application_name() {
        None => options.application_name("hallpass"),
        Some(_) => options,
    };
    let options = options.disable_statement_logging();
    if is_pooled {
        // A pooler rejects unknown parameters.
        options.statement_cache_capacity(0).extra_float_digits(None)
    } else {
        options
    }
}

fn pool(size: u32, is_pooled: bool) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(CONNECT_TIMEOUT)
        // Testing a connection would be a second round trip. Instead, reads are repeated, and
        // changes find their outcome.
        .test_before_acquire(false)
        .after_connect(move |connection, _| Box::pin(prepare_session(connection, is_pooled)))
}

/// A connection in use.
///
/// If it is dropped in the middle of a call, it goes back to the pool once it is usable again, or
/// it is closed. The driver alone would wait until it detects that the connection is dead.
#[derive(Debug)]
pub(crate) struct CheckedOut(Option<PoolConnection<Postgres>>);

impl CheckedOut {
    pub(crate) async fn acquire(pool: &PgPool, deadline: Instant) -> Result<Self, sqlx::Error> {
        if let Some(connection) = pool.try_acquire() {
            return Ok(Self(Some(connection)));
        }
        let deadline = deadline.min(Instant::now() + ACQUIRE_TIMEOUT);
        let acquired = if pool.options().get_acquire_timeout() > CONNECT_TIMEOUT {
            // A call that stops waiting must leave the queue of the host's pool.
            timeout_at(deadline, pool.acquire()).await
        } else {
            // Connecting runs in a task that continues when this call gives up. Otherwise many
            // waiting calls would start to connect and abort, on a server that is slow already.
            let pool = pool.clone();
            let acquiring = tokio::spawn(async move { pool.acquire().await });
            let acquired = timeout_at(deadline, acquiring).await;
            acquired.map(|acquired| acquired.unwrap_or(Err(sqlx::Error::WorkerCrashed)))
        };
        acquired.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map(|connection| Self(Some(connection)))
    }

    pub(crate) fn get(&mut self) -> &mut PgConnection {
        self.0.as_mut().expect("the connection is present until it is returned to the pool")
    }

    /// Gives the connection back to the pool.
    pub(crate) fn give_back(mut self) {
        drop(self.0.take());
    }

    /// Gives the connection back after an error, or closes it if it cannot be used any more.
    ///
    /// The server reports an error before it releases the locks of the transaction, so this waits
    /// until the server is ready: the caller may try again at once.
    ///
    /// A connection to a read-only server is closed, because the next one may lead to the primary.
    pub(crate) async fn give_back_after(mut self, error: &sqlx::Error, deadline: Instant) {
        if is_rejection(error)
            && error_class(error) != ErrorClass::ReadOnly
            && let Ok(Ok(())) = timeout_at(deadline, reset(self.get())).await
        {
            return self.give_back();
        }
        self.close();
    }

    /// Closes the connection.
    pub(crate) fn close(mut self) {
        drop(self.0.take().map(PoolConnection::detach));
    }
}

impl Drop for CheckedOut {
    fn drop(&mut self) {
        let Some(mut connection) = self.0.take() else { return };
        match Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(async move {
                // The server replies after it has completed the dropped statement.
                if !matches!(timeout(RESET_TIMEOUT, reset(&mut connection)).await, Ok(Ok(()))) {
                    drop(connection.detach());
                }
            })),
            Err(_) => drop(connection.detach()),
        }
    }
}

/// Waits until the server has completed the last statement, and ends a transaction that is open.
///
/// If a call is dropped or fails while its transaction starts, the driver does not end the
/// transaction. A later change would then be a part of it and be lost. `BEGIN` comes first, because
/// the server logs a warning if there is nothing to roll back. It fails if the transaction has
/// failed, and the connection is closed then.
async fn reset(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    connection.execute("BEGIN; ROLLBACK").await.map(drop)
}

/// The error for a standby. A standby may lack the latest changes, so neither a check nor a cache
/// can rely on it.
#[derive(Debug, thiserror::Error)]
#[error("the server is a standby: tokens are checked on the primary")]
struct Standby;

/// Returns whether a standby has run the statement. Only statements that select the column
/// `standby` report it.
fn is_of_standby(rows: &[PgRow]) -> bool {
    rows.first().is_some_and(|row| row.try_get("standby").is_ok_and(|standby| standby))
}

/// Returns the error of a server that took too long.
pub(crate) fn timed_out() -> sqlx::Error {
    sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())
}
