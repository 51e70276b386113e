use hallpass_core::store::{BulkResult, ChangeSeq, Secrets, StoreError, fresh_nonce};
use hallpass_core::{Owner, TokenId};
use jiff::Timestamp;
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{Sqlite, Transaction};
use tokio::sync::Notify;
use tokio::time::timeout_at;

use crate::connections::Deadline;
use crate::file::DatabaseFile;
use crate::row::{self, Statement, id_bytes};
use crate::sql;
use crate::trouble::refused_at_commit;

/// A transaction that holds the write lock from its start, so that what it reads stays true until it
/// commits. Dropped, at whatever point, it is undone.
pub(crate) struct Write<'s> {
    transaction: Transaction<'static, Sqlite>,
    deadline: Deadline,
    file: &'s DatabaseFile,
    commits: &'s Notify,
}

impl<'s> Write<'s> {
    pub(crate) async fn begin(
        writer: &SqlitePool,
        file: &'s DatabaseFile,
        commits: &'s Notify,
    ) -> Result<Self, StoreError> {
        let deadline = Deadline::start();
        let transaction = deadline.bound(writer.begin_with("BEGIN IMMEDIATE")).await?;
        Ok(Self { transaction, deadline, file, commits })
    }

    /// Runs a statement. Answers how many rows it changed.
    pub(crate) async fn run(&mut self, query: Statement<'_>) -> Result<u64, StoreError> {
        let done = self.deadline.bound(query.execute(&mut *self.transaction)).await?;
        Ok(done.rows_affected())
    }

    /// Runs a statement that answers at most one row.
    pub(crate) async fn row(
        &mut self,
        query: Statement<'_>,
    ) -> Result<Option<SqliteRow>, StoreError> {
        self.deadline.bound(query.fetch_optional(&mut *self.transaction)).await
    }

    /// Why a statement that is bound to a token's state changed no row.
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
        let replace = row::bind_secrets(sqlx::query(sql::REPLACE_SECRETS), secrets);
        self.run(replace.bind(id_bytes(id))).await.map(drop)
    }

    /// Logs that a token has changed.
    pub(crate) async fn log_token(&mut self, id: TokenId) -> Result<ChangeSeq, StoreError> {
        self.log("token", Some(id), None).await
    }

    /// Logs that all of an owner's tokens have changed, or what the owner may do.
    pub(crate) async fn log_owner(&mut self, owner: &Owner) -> Result<ChangeSeq, StoreError> {
        self.log("owner", None, Some(owner)).await
    }

    /// The write lock is held to the commit, so number order is commit order.
    async fn log(
        &mut self,
        kind: &'static str,
        token: Option<TokenId>,
        owner: Option<&Owner>,
    ) -> Result<ChangeSeq, StoreError> {
        let nonce = fresh_nonce().map_err(StoreError::unavailable)?.cast_signed();
        let ticked = self.row(sqlx::query(sql::TICK).bind(nonce)).await?;
        let ticked = ticked.ok_or_else(|| StoreError::corrupt("the clock is gone"))?;
        let seq = row::value(&ticked, 0)?;
        let line = sqlx::query(sql::LOG)
            .bind(seq)
            .bind(nonce)
            .bind(kind)
            .bind(token.map(id_bytes))
            .bind(owner.map(Owner::as_str))
            .bind(Timestamp::now().as_millisecond());
        self.run(line).await?;
        row::seq(seq)
    }

    /// Logs and commits a change to so many of an owner's tokens, if it is to any.
    pub(crate) async fn finish_bulk(
        mut self,
        owner: &Owner,
        count: u64,
    ) -> Result<BulkResult, StoreError> {
        if count == 0 {
            return Ok(BulkResult::default());
        }
        let seq = self.log_owner(owner).await?;
        self.commit().await?;
        Ok(BulkResult { count, seq: Some(seq) })
    }

    /// Makes it all stand, on the disk.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        self.file.check()?;
        let committed = timeout_at(self.deadline.of_commit(), self.transaction.commit()).await;
        // Whatever came of it: who waits looks for himself.
        self.commits.notify_waiters();
        match committed {
            Ok(done) => done.map_err(refused_at_commit),
            Err(late) => Err(StoreError::outcome_unknown(late)),
        }
    }
}
