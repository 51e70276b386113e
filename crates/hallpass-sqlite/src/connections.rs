//! The connections of a store, and the deadlines of calls. The driver runs each connection on its
//! own thread.

use std::future::Future;
use std::path::Path;
use std::time::Duration;

use hallpass_core::store::StoreError;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::time::{Instant, timeout_at};

use crate::error_class::store_error;

/// The maximum duration of a call, apart from its commit.
const CALL_TIMEOUT: Duration = Duration::from_millis(1500);

/// The maximum duration of a commit. Together with [`CALL_TIMEOUT`] it is the promised two seconds.
const COMMIT_TIMEOUT: Duration = Duration::from_millis(500);

/// The time for which SQLite waits until another process releases its lock. It is shorter than
/// [`CALL_TIMEOUT`], so that the call fails with SQLite's own error.
const LOCK_TIMEOUT: Duration = Duration::from_secs(1);

/// The maximum number of concurrent lookups. Each is short and keeps one core busy, so more of them
/// would only compete for the cores.
const LOOKUPS: u32 = 4;

/// The maximum number of concurrent lists. They have their own connections, so that no check waits
/// for a list.
const LISTS: u32 = 2;

/// The connections of a store.
#[derive(Clone, Debug)]
pub(crate) struct Connections {
    /// SQLite allows one writer at a time, so there is one connection, and writes queue for it.
    pub(crate) writer: SqlitePool,
    pub(crate) lookups: SqlitePool,
    pub(crate) lists: SqlitePool,
}

impl Connections {
    /// Prepares connections. Each is opened when it is first needed.
    pub(crate) fn prepare(path: &Path) -> Self {
        // In WAL mode, only the setting FULL syncs the log at each commit. Without it, a loss of
        // power could undo an acknowledged revocation.
        let writer = options(path).synchronous(SqliteSynchronous::Full).pragma("fullfsync", "ON");
        let reader = options(path).pragma("query_only", "ON");
        Self {
            writer: without_transaction(pool(1)).connect_lazy_with(writer),
            lookups: pool(LOOKUPS).connect_lazy_with(reader.clone()),
            lists: pool(LISTS).connect_lazy_with(reader),
        }
    }

    /// Closes all connections. The last one moves the write-ahead log into the file and removes it,
    /// which only the writer can do.
    pub(crate) async fn close(&self) {
        self.lists.close().await;
        self.lookups.close().await;
        self.writer.close().await;
    }
}

/// Returns the options of every connection. None of them changes the file.
pub(crate) fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .busy_timeout(LOCK_TIMEOUT)
        .thread_name(|number| format!("hallpass-sqlite-{number}"))
        .disable_statement_logging()
}

/// Returns the options of a pool with at most `size` connections.
fn pool(size: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(size)
        .acquire_timeout(CALL_TIMEOUT)
        // Connections to a file never become stale. A connection that is opened later could open
        // another file that has replaced this one.
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
}

/// Closes a connection whose transaction did not end with its call.
///
/// The driver rolls back the transaction of a call that was dropped or failed. SQLite may have done
/// so already by itself, for example when the disk is full. The driver would then still count a
/// transaction as open, and reject every later one.
fn without_transaction(pool: SqlitePoolOptions) -> SqlitePoolOptions {
    pool.after_release(|connection, _| {
        Box::pin(async move {
            // A transaction counts as open until it has ended, so there is nothing to wait for. If
            // a call was dropped while it began one, the driver ends that before the next call.
            if !connection.is_in_transaction() {
                return Ok(true);
            }
            // When the ping returns, everything that was queued before it is done, including a
            // rollback.
            connection.ping().await?;
            Ok(!connection.is_in_transaction())
        })
    })
}

/// The instant by which a call must be done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    pub(crate) fn start() -> Self {
        Self(Instant::now() + CALL_TIMEOUT)
    }

    /// Runs a statement within the deadline. If the deadline passes, nothing was changed, because
    /// there was no commit.
    pub(crate) async fn bound<T>(
        self,
        work: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, StoreError> {
        match timeout_at(self.0, work).await {
            Ok(done) => done.map_err(store_error),
            Err(late) => Err(StoreError::unavailable(late)),
        }
    }

    /// Returns the instant by which the commit must be done.
    pub(crate) fn of_commit(self) -> Instant {
        self.0 + COMMIT_TIMEOUT
    }
}

#[cfg(test)]
mod tests {
    use sqlx::Row as _;

    use super::*;

    #[tokio::test]
    async fn writer_syncs_each_commit_and_readers_cannot_write() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tokens.db");
        let store = crate::SqliteStore::open(&path).await.unwrap();
        let Connections { writer, lookups, lists } = &store.connections;
        let ask = async |pool: &SqlitePool, question| {
            let answer = sqlx::query(question).fetch_one(pool).await.unwrap();
            answer.try_get::<i64, _>(0).unwrap()
        };
        assert_eq!(ask(writer, "PRAGMA synchronous").await, 2);
        assert_eq!(ask(writer, "PRAGMA query_only").await, 0);
        for reader in [lookups, lists] {
            assert_eq!(ask(reader, "PRAGMA query_only").await, 1);
            let rejected =
                sqlx::query("DELETE FROM hallpass_tokens").execute(reader).await.unwrap_err();
            assert!(store_error(rejected).is_read_only());
        }
    }
}
