//! Write transactions.

use hallpass_core::store::{BulkResult, ChangeSeq, ChangeTarget, Secrets, StoreError, fresh_nonce};
use hallpass_core::{Event, TokenId};
use hallpass_sql::{event_values, secrets_values};
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{Sqlite, Transaction};
use tokio::sync::Notify;
use tokio::time::timeout_at;

use crate::connections::Deadline;
use crate::error_class::commit_error;
use crate::file::DatabaseFile;
use crate::sql::{self, Statement, bind_all, id_bytes};

/// A transaction that holds the write lock from its start. What it reads cannot change until it
/// commits. Dropping it rolls it back.
pub(crate) struct Write<'s> {
    transaction: Transaction<'static, Sqlite>,
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
        Ok(Self { transaction, deadline, file, commits })
    }

    /// Runs a statement. Returns how many rows it changed.
    pub(crate) async fn run(&mut self, statement: Statement<'_>) -> Result<u64, StoreError> {
        let done = self.deadline.bound(statement.execute(&mut *self.transaction)).await?;
        Ok(done.rows_affected())
    }

    /// Runs a statement that returns at most one row.
    pub(crate) async fn row(
        &mut self,
        statement: Statement<'_>,
    ) -> Result<Option<SqliteRow>, StoreError> {
        self.deadline.bound(statement.fetch_optional(&mut *self.transaction)).await
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
        self,
        target: &ChangeTarget,
        event: &Event,
        count: u64,
    ) -> Result<BulkResult, StoreError> {
        if count == 0 {
            return Ok(BulkResult::default());
        }
        let mut event = event.clone();
        event.count = count;
        let seq = self.finish(target, &event).await?;
        Ok(BulkResult { count, seq: Some(seq) })
    }

    /// Commits the transaction and waits until it is synced to the disk.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        // This is the last chance to detect a replaced file before the change is acknowledged.
        self.file.check()?;
        let committed = timeout_at(self.deadline.of_commit(), self.transaction.commit()).await;
        // Waiters are notified even if the commit failed, because they read the log themselves.
        self.commits.notify_waiters();
        match committed {
            Ok(done) => done.map_err(commit_error),
            Err(late) => Err(StoreError::outcome_unknown(late)),
        }
    }
}
