//! Write transactions.

use std::ops::DerefMut;
use std::path::Path;

use hallpass_core::store::{
    BulkResult, ChangeSeq, ChangeTarget, Secrets, StoreError, StoredToken, fresh_nonce,
};
use hallpass_core::{Event, TokenId};
use hallpass_sql::{event_values, record_values, secrets_values};
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{Connection as _, Row as _, Sqlite, SqliteConnection, Transaction};
use tokio::sync::Notify;
use tokio::time::timeout_at;

use crate::connections::Deadline;
use crate::error_class::commit_error;
use crate::file::DatabaseFile;
use crate::sql::{self, Statement, bind_all, id_bytes, millis};

/// A transaction that holds the write lock from its start. The data that it reads cannot change
/// until it commits. Dropping it rolls it back.
///
/// `C` is the store's own transaction, or a savepoint in a transaction of the host.
pub(crate) struct Write<'s, C = Transaction<'static, Sqlite>> {
    connection: C,
    deadline: Deadline,
    file: &'s DatabaseFile,
    commits: &'s Notify,
}

impl<'s> Write<'s> {
    /// Begins a transaction.
    pub(crate) async fn begin(
        writer: &SqlitePool,
        file: &'s DatabaseFile,
        commits: &'s Notify,
    ) -> Result<Self, StoreError> {
        let deadline = Deadline::start();
        let transaction = deadline.bound(writer.begin_with("BEGIN IMMEDIATE")).await?;
        Ok(Self { connection: transaction, deadline, file, commits })
    }
}

impl<'s> Write<'s, Transaction<'s, Sqlite>> {
    /// Joins the host's transaction, which the host commits itself.
    ///
    /// The change and its log entry are made in a savepoint. If one of them fails, or takes too
    /// long, neither is part of the host's transaction, even if the host ignores the error.
    ///
    /// # Errors
    ///
    /// Returns an unavailable error if the connection is not in a transaction, or if its database
    /// is not the store's.
    pub(crate) async fn join(
        connection: &'s mut SqliteConnection,
        file: &'s DatabaseFile,
        commits: &'s Notify,
    ) -> Result<Self, StoreError> {
        if !connection.is_in_transaction() {
            return Err(StoreError::unavailable(HostTransactionError::NotBegun));
        }
        let deadline = Deadline::start();
        // In a transaction, this is a savepoint.
        let savepoint = deadline.bound(connection.begin()).await?;
        let mut write = Self { connection: savepoint, deadline, file, commits };
        let path = write.row(sqlx::query(sql::MAIN_FILE)).await?;
        let path = path.map(|row| row.try_get::<String, _>(0)).transpose();
        match path.map_err(StoreError::unavailable)? {
            Some(path) if file.is_at(Path::new(&path)) => Ok(write),
            _ => Err(StoreError::unavailable(HostTransactionError::OtherDatabase)),
        }
    }

    /// Makes the change part of the host's transaction.
    pub(crate) async fn release(self) -> Result<(), StoreError> {
        self.deadline.bound(self.connection.commit()).await
    }
}

/// The error for a connection of the host through which the store cannot write.
#[derive(Debug, thiserror::Error)]
enum HostTransactionError {
    #[error("the connection is not in a transaction: begin one first")]
    NotBegun,
    #[error("the connection is to another database: use one to the token store's file")]
    OtherDatabase,
}

impl<C: DerefMut<Target = SqliteConnection>> Write<'_, C> {
    /// Runs a statement. Returns how many rows it changed.
    pub(crate) async fn run(&mut self, statement: Statement<'_>) -> Result<u64, StoreError> {
        let result = self.deadline.bound(statement.execute(&mut *self.connection)).await?;
        Ok(result.rows_affected())
    }

    /// Runs a statement that returns at most one row.
    pub(crate) async fn row(
        &mut self,
        statement: Statement<'_>,
    ) -> Result<Option<SqliteRow>, StoreError> {
        self.deadline.bound(statement.fetch_optional(&mut *self.connection)).await
    }

    /// Returns the error for a statement that has changed no row: the token does not exist, or is
    /// not in the expected state.
    pub(crate) async fn missed(&mut self, id: TokenId) -> StoreError {
        match self.row(sqlx::query(sql::EXISTS).bind(id_bytes(id))).await {
            Ok(Some(_)) => StoreError::conflict(),
            Ok(None) => StoreError::not_found(),
            Err(error) => error,
        }
    }

    /// Replaces both secrets of a token.
    pub(crate) async fn replace_secrets(
        &mut self,
        id: TokenId,
        secrets: &Secrets,
    ) -> Result<(), StoreError> {
        let replace = bind_all(sqlx::query(&**sql::REPLACE_SECRETS), secrets_values(secrets));
        self.run(replace.bind(id_bytes(id))).await.map(drop)
    }

    /// Writes an event to the log. The write lock is held until the commit, so that sequence order
    /// is commit order.
    pub(crate) async fn log(
        &mut self,
        target: &ChangeTarget,
        event: &Event,
    ) -> Result<ChangeSeq, StoreError> {
        let nonce = fresh_nonce().map_err(StoreError::unavailable)?.cast_signed();
        let clock = self.row(sqlx::query(sql::ADVANCE_CLOCK).bind(nonce)).await?;
        let clock = clock.ok_or_else(|| StoreError::corrupt("the clock's row is missing"))?;
        let seq = hallpass_sql::seq(&clock, "seq")?;
        let entry = sqlx::query(&**sql::LOG).bind(seq.get().cast_signed()).bind(nonce);
        self.run(bind_all(entry, event_values(target, event))).await?;
        Ok(seq)
    }

    /// Writes the event of a change of `count` tokens to the log, unless the count is 0.
    pub(crate) async fn log_bulk(
        &mut self,
        target: &ChangeTarget,
        event: &Event,
        count: u64,
    ) -> Result<BulkResult, StoreError> {
        if count == 0 {
            return Ok(BulkResult::default());
        }
        let mut event = event.clone();
        event.count = count;
        let seq = self.log(target, &event).await?;
        Ok(BulkResult { count, seq: Some(seq) })
    }

    /// Inserts a token if its owner may have another one.
    pub(crate) async fn insert(
        &mut self,
        token: &StoredToken,
        limit: Option<u32>,
    ) -> Result<(), StoreError> {
        let StoredToken { record, secrets } = token;
        let usage = sqlx::query(sql::LIMIT).bind(id_bytes(record.id)).bind(record.owner.as_str());
        let usage = self.row(usage).await?.ok_or_else(|| StoreError::corrupt("no count"))?;
        if hallpass_sql::count(&usage, "taken")? != 0 {
            return Err(StoreError::duplicate());
        }
        let in_use = hallpass_sql::count(&usage, "in_use")?;
        if limit.is_some_and(|limit| in_use >= u64::from(limit)) {
            return Err(StoreError::limit_reached(in_use));
        }
        let values = record_values(record).into_iter().chain(secrets_values(secrets));
        let insert = bind_all(sqlx::query(&**sql::INSERT), values);
        self.run(insert.bind(millis(record.last_used_at))).await.map(drop)
    }
}

impl Write<'_> {
    /// Logs a change and commits it.
    pub(crate) async fn finish(
        mut self,
        target: &ChangeTarget,
        event: &Event,
    ) -> Result<ChangeSeq, StoreError> {
        let seq = self.log(target, event).await?;
        self.commit().await?;
        Ok(seq)
    }

    /// Logs a change to `count` tokens with one entry, and commits it. Does nothing if the count is
    /// 0.
    pub(crate) async fn finish_bulk(
        mut self,
        target: &ChangeTarget,
        event: &Event,
        count: u64,
    ) -> Result<BulkResult, StoreError> {
        let result = self.log_bulk(target, event, count).await?;
        if result.seq.is_some() {
            self.commit().await?;
        }
        Ok(result)
    }

    /// Commits the transaction and waits until it is synced to the disk.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        // This is the last chance to detect a replaced file before the change is acknowledged.
        self.file.check()?;
        let committed = timeout_at(self.deadline.of_commit(), self.connection.commit()).await;
        // Waiters are notified even if the commit failed, because they read the log themselves.
        self.commits.notify_waiters();
        match committed {
            Ok(done) => done.map_err(commit_error),
            Err(late) => Err(StoreError::outcome_unknown(late)),
        }
    }
}
