use hallpass_core::store::{Bulk, Secrets, Seq, StoreError, fresh_nonce};
use hallpass_core::{Owner, TokenId};
use jiff::Timestamp;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqlitePool, SqliteRow};
use sqlx::{Row as _, Sqlite, Transaction};
use tokio::time::timeout_at;

use crate::connections::Deadline;
use crate::file::DatabaseFile;
use crate::row::{self, id_bytes};
use crate::trouble::refused_at_commit;

/// A transaction that holds the write lock from its start, so that what it reads stays true until it
/// commits. Dropped, at whatever point, it is undone.
pub(crate) struct Write<'s> {
    transaction: Transaction<'static, Sqlite>,
    deadline: Deadline,
    file: &'s DatabaseFile,
}

impl<'s> Write<'s> {
    pub(crate) async fn begin(
        writer: &SqlitePool,
        file: &'s DatabaseFile,
    ) -> Result<Self, StoreError> {
        let deadline = Deadline::start();
        let transaction = deadline.bound(writer.begin_with("BEGIN IMMEDIATE")).await?;
        Ok(Self { transaction, deadline, file })
    }

    /// Runs a statement. Answers how many rows it changed.
    pub(crate) async fn run(
        &mut self,
        query: Query<'_, Sqlite, SqliteArguments>,
    ) -> Result<u64, StoreError> {
        let done = self.deadline.bound(query.execute(&mut *self.transaction)).await?;
        Ok(done.rows_affected())
    }

    /// Runs a statement that answers at most one row.
    pub(crate) async fn row(
        &mut self,
        query: Query<'_, Sqlite, SqliteArguments>,
    ) -> Result<Option<SqliteRow>, StoreError> {
        self.deadline.bound(query.fetch_optional(&mut *self.transaction)).await
    }

    /// Why a statement that is bound to a token's state changed no row.
    pub(crate) async fn missed(&mut self, id: TokenId) -> StoreError {
        let query = sqlx::query("SELECT 1 FROM tokens WHERE id = ?").bind(id_bytes(id));
        match self.row(query).await {
            Ok(Some(_)) => StoreError::conflict(),
            Ok(None) => StoreError::not_found(),
            Err(error) => error,
        }
    }

    /// Replaces both secrets of a token.
    pub(crate) async fn set_secrets(
        &mut self,
        id: TokenId,
        secrets: &Secrets,
    ) -> Result<(), StoreError> {
        let previous = secrets.previous.as_ref();
        let update = "UPDATE tokens SET algorithm = ?, digest = ?, previous_algorithm = ?, \
                      previous_digest = ?, previous_until = ? WHERE id = ?";
        let update = sqlx::query(update)
            .bind(secrets.current.algorithm())
            .bind(secrets.current.bytes().as_slice())
            .bind(previous.map(|previous| previous.digest.algorithm()))
            .bind(previous.map(|previous| previous.digest.bytes().as_slice()))
            .bind(previous.map(|previous| previous.until.as_millisecond()))
            .bind(id_bytes(id));
        self.run(update).await.map(drop)
    }

    /// Logs that a token has changed.
    pub(crate) async fn log_token(&mut self, id: TokenId) -> Result<Seq, StoreError> {
        self.log("token", Some(id), None).await
    }

    /// Logs that all of an owner's tokens have changed, or what the owner may do.
    pub(crate) async fn log_owner(&mut self, owner: &Owner) -> Result<Seq, StoreError> {
        self.log("owner", None, Some(owner)).await
    }

    /// The write lock is held to the commit, so number order is commit order.
    async fn log(
        &mut self,
        kind: &'static str,
        token: Option<TokenId>,
        owner: Option<&Owner>,
    ) -> Result<Seq, StoreError> {
        let nonce = fresh_nonce().map_err(StoreError::unavailable)?.cast_signed();
        let tick = "UPDATE clock SET seq = seq + 1, nonce = ? RETURNING seq";
        let ticked = self.row(sqlx::query(tick).bind(nonce)).await?;
        let ticked = ticked.ok_or_else(|| StoreError::corrupt("the clock is gone"))?;
        let seq: i64 = ticked.try_get(0).map_err(StoreError::corrupt)?;
        let line =
            "INSERT INTO changes (seq, nonce, kind, token, owner, at) VALUES (?, ?, ?, ?, ?, ?)";
        let line = sqlx::query(line)
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
    ) -> Result<Bulk, StoreError> {
        if count == 0 {
            return Ok(Bulk::default());
        }
        let seq = self.log_owner(owner).await?;
        self.commit().await?;
        Ok(Bulk { count, seq: Some(seq) })
    }

    /// Makes it all stand, on the disk.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        self.file.check()?;
        match timeout_at(self.deadline.of_commit(), self.transaction.commit()).await {
            Ok(done) => done.map_err(refused_at_commit),
            Err(late) => Err(StoreError::outcome_unknown(late)),
        }
    }
}
