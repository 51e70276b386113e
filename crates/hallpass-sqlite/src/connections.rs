//! The connections of a store, each a thread of its own.

use std::future::Future;
use std::path::Path;
use std::time::Duration;

use hallpass_core::store::StoreError;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::time::{Instant, timeout_at};

use crate::trouble::refused;

/// How long a call may take until it commits, or until it has read.
const PATIENCE: Duration = Duration::from_millis(1500);

/// How long the commit may take beyond that: with [`PATIENCE`], the two seconds that are promised.
const COMMIT_PATIENCE: Duration = Duration::from_millis(500);

/// How long SQLite waits for another process to release its lock. Shorter than [`PATIENCE`], so that a call
/// that waits its turn behind a waiting one is told why as well.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);

/// Look-ups that run at once. Each is short and keeps a processor busy: many more would only take turns.
const LOOKUPS: u32 = 4;

/// Lists that run at once: apart from look-ups, so that a slow one keeps no check waiting.
const LISTS: u32 = 2;

/// The connections of a store.
#[derive(Clone, Debug)]
pub(crate) struct Connections {
    /// SQLite lets one write at a time: one connection, and whoever wants to write waits in line for it.
    pub(crate) writer: SqlitePool,
    pub(crate) lookups: SqlitePool,
    pub(crate) lists: SqlitePool,
}

impl Connections {
    /// Prepares connections; each is opened when it is first needed.
    pub(crate) fn prepare(path: &Path) -> Self {
        // In WAL mode, FULL is what syncs the log at each commit. With less, a change that was answered
        // could be gone after a loss of power: a revoked token would come back to life.
        let writer = options(path).synchronous(SqliteSynchronous::Full).pragma("fullfsync", "ON");
        let reader = options(path).pragma("query_only", "ON");
        Self {
            writer: without_transaction(pool(1)).connect_lazy_with(writer),
            lookups: pool(LOOKUPS).connect_lazy_with(reader.clone()),
            lists: without_transaction(pool(LISTS)).connect_lazy_with(reader),
        }
    }

    /// Closes all of them, the writer last: it then moves the log into the file and removes it.
    pub(crate) async fn close(&self) {
        self.lists.close().await;
        self.lookups.close().await;
        self.writer.close().await;
    }
}

/// What every connection has in common. Nothing that changes the file, so none can.
pub(crate) fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .busy_timeout(LOCK_PATIENCE)
        .thread_name(|number| format!("hallpass-sqlite-{number}"))
        .disable_statement_logging()
}

fn pool(size: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(size)
        .acquire_timeout(PATIENCE)
        // A connection is a thread of this process, not a line that goes dead; and one opened later might
        // find another file at the path.
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
}

/// Gives up a connection whose transaction did not end when its call did.
///
/// The driver undoes the transaction of a call that was dropped or failed. It does not know that SQLite has
/// done so by itself when the disk is full, say: then it counts a transaction that is not there, and
/// would refuse every later one.
fn without_transaction(pool: SqlitePoolOptions) -> SqlitePoolOptions {
    pool.after_release(|connection, _| {
        Box::pin(async move {
            // Once it answers, what was queued before is done, a rollback among it.
            connection.ping().await?;
            Ok(!connection.is_in_transaction())
        })
    })
}

/// The instants by which a call that starts now has to be done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    pub(crate) fn start() -> Self {
        Self(Instant::now() + PATIENCE)
    }

    /// Does something that changes nothing until it is committed.
    pub(crate) async fn bound<T>(
        self,
        work: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, StoreError> {
        match timeout_at(self.0, work).await {
            Ok(done) => done.map_err(refused),
            Err(late) => Err(StoreError::unavailable(late)),
        }
    }

    /// By when a commit has to be done.
    pub(crate) fn of_commit(self) -> Instant {
        self.0 + COMMIT_PATIENCE
    }
}

#[cfg(test)]
mod tests {
    use sqlx::Row as _;

    use super::*;

    #[tokio::test]
    async fn the_writer_syncs_each_commit_and_the_readers_cannot_write() {
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
            let refused = sqlx::query("DELETE FROM tokens").execute(reader).await.unwrap_err();
            assert!(crate::trouble::refused(refused).is_read_only());
        }
    }
}
