//! What each verb of the trait is in SQL.

use std::pin::pin;
use std::time::Duration;

use hallpass_core::store::{
    BulkResult, Change, ChangeBatch, ChangeSeq, Deleted, ListPage, ListQuery, LogPosition, Secrets,
    Snapshot, StoreError, StoredToken, TokenStore, TokenUse,
};
use hallpass_core::{Digest, Owner, Revision, TokenId};
use jiff::{SignedDuration, Timestamp};
use sqlx::Row as _;
use tokio::time::{sleep, timeout};

use crate::connections::Deadline;
use crate::row::{self, id_bytes, millis};
use crate::store::SqliteStore;
use crate::{list, sql};

/// How long a line of the change log is kept at least.
const RETENTION: SignedDuration = SignedDuration::from_hours(24);

/// How many older ones a prune lets go: some tenths of a second's work, and more changes than a day has
/// where one file is enough.
const TRIM_BATCH: u32 = 100_000;

/// How often it is looked whether another process has changed anything.
const GLANCE: Duration = Duration::from_millis(250);

impl TokenStore for SqliteStore {
    async fn insert(
        &self,
        token: &StoredToken,
        limit: Option<u32>,
    ) -> Result<ChangeSeq, StoreError> {
        let StoredToken { record, secrets } = token;
        let mut write = self.write().await?;
        let taken = sqlx::query(sql::TAKEN).bind(id_bytes(record.id)).bind(record.owner.as_str());
        let taken = write.row(taken).await?.ok_or_else(|| StoreError::corrupt("no count"))?;
        if row::count(&taken, 0)? != 0 {
            return Err(StoreError::duplicate());
        }
        let in_use = row::count(&taken, 1)?;
        if limit.is_some_and(|limit| in_use >= u64::from(limit)) {
            return Err(StoreError::limit_reached(in_use));
        }
        let insert = row::bind_record(sqlx::query(sql::INSERT), record);
        let insert = insert.bind(millis(record.last_used_at));
        write.run(row::bind_secrets(insert, secrets)).await?;
        let seq = write.log_token(record.id).await?;
        write.commit().await?;
        Ok(seq)
    }

    async fn find(&self, id: TokenId) -> Result<Snapshot<Option<StoredToken>>, StoreError> {
        let query = sqlx::query(sql::FIND).bind(id_bytes(id)).fetch_one(&self.connections.lookups);
        let found = Deadline::start().bound(query).await?;
        self.file.check()?;
        let as_of = row::seq(row::value(&found, "seq")?)?;
        let id: Option<&[u8]> = found.try_get("id").map_err(StoreError::corrupt)?;
        let value = id.map(|_| row::stored(&found)).transpose()?;
        Ok(Snapshot { value, as_of })
    }

    async fn list(&self, query: &ListQuery) -> Result<ListPage, StoreError> {
        let read = async {
            // One snapshot for both.
            let mut transaction = self.connections.lists.begin().await?;
            let total = list::count(query).build().fetch_one(&mut *transaction).await?;
            let rows = list::page(query).build().fetch_all(&mut *transaction).await?;
            transaction.rollback().await?;
            Ok((total, rows))
        };
        let (total, rows) = Deadline::start().bound(read).await?;
        self.file.check()?;
        let limit = query.limit as usize;
        let more = rows.len() > limit;
        let records = rows.iter().take(limit).map(row::record).collect::<Result<_, _>>()?;
        Ok(ListPage { records, total: row::count(&total, 0)?, more })
    }

    async fn change(&self, change: &Change) -> Result<ChangeSeq, StoreError> {
        let id = change.record.id;
        let mut write = self.write().await?;
        let replace = row::bind_record(sqlx::query(sql::REPLACE), &change.record);
        let replace = replace.bind(row::revision(change.expected()));
        if write.run(replace).await? == 0 {
            return Err(write.missed(id).await);
        }
        if let Some(secrets) = &change.secrets {
            write.replace_secrets(id, secrets).await?;
        }
        let seq = write.log_token(id).await?;
        write.commit().await?;
        Ok(seq)
    }

    async fn rekey(
        &self,
        id: TokenId,
        expected: &Digest,
        secrets: &Secrets,
    ) -> Result<ChangeSeq, StoreError> {
        let mut write = self.write().await?;
        let still = sqlx::query(sql::HAS_DIGEST)
            .bind(id_bytes(id))
            .bind(expected.algorithm())
            .bind(expected.bytes().as_slice());
        if write.row(still).await?.is_none() {
            return Err(write.missed(id).await);
        }
        write.replace_secrets(id, secrets).await?;
        let seq = write.log_token(id).await?;
        write.commit().await?;
        Ok(seq)
    }

    async fn delete(
        &self,
        id: TokenId,
        expected: Option<Revision>,
    ) -> Result<ChangeSeq, StoreError> {
        let mut write = self.write().await?;
        let delete = sqlx::query(sql::DELETE).bind(id_bytes(id)).bind(expected.map(row::revision));
        if write.run(delete).await? == 0 {
            return Err(write.missed(id).await);
        }
        let seq = write.log_token(id).await?;
        write.commit().await?;
        Ok(seq)
    }

    async fn delete_many(
        &self,
        owner: Option<&Owner>,
        ids: &[TokenId],
    ) -> Result<Deleted, StoreError> {
        let mut write = self.write().await?;
        let mut deleted = Deleted::default();
        for &id in ids {
            let delete =
                sqlx::query(sql::DELETE_OF).bind(id_bytes(id)).bind(owner.map(Owner::as_str));
            let Some(gone) = write.row(delete).await? else {
                continue;
            };
            let owner = Owner::new(row::value::<&str>(&gone, 0)?).map_err(StoreError::corrupt)?;
            deleted.tokens.push((id, owner));
            deleted.seq = Some(write.log_token(id).await?);
        }
        if deleted.seq.is_some() {
            write.commit().await?;
        }
        Ok(deleted)
    }

    async fn delete_owner(&self, owner: &Owner) -> Result<BulkResult, StoreError> {
        let mut write = self.write().await?;
        let delete = sqlx::query(sql::DELETE_OWNER).bind(owner.as_str());
        let count = write.run(delete).await?;
        write.finish_bulk(owner, count).await
    }

    async fn revoke_owner(&self, owner: &Owner, at: Timestamp) -> Result<BulkResult, StoreError> {
        let mut write = self.write().await?;
        let revoke = sqlx::query(sql::REVOKE_OWNER).bind(at.as_millisecond()).bind(owner.as_str());
        let count = write.run(revoke).await?;
        write.finish_bulk(owner, count).await
    }

    async fn announce(&self, owner: &Owner) -> Result<ChangeSeq, StoreError> {
        let mut write = self.write().await?;
        let seq = write.log_owner(owner).await?;
        write.commit().await?;
        Ok(seq)
    }

    async fn touch(&self, uses: &[TokenUse]) -> Result<u64, StoreError> {
        let mut write = self.write().await?;
        let moved = write.run(sqlx::query(sql::TOUCH).bind(row::uses(uses))).await?;
        if moved > 0 {
            write.commit().await?;
        }
        Ok(moved)
    }

    async fn prune(&self, ended_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut write = self.write().await?;
        let prune = sqlx::query(sql::PRUNE).bind(ended_before.as_millisecond()).bind(limit);
        let pruned = write.run(prune).await?;
        let kept_from = Timestamp::now() - RETENTION;
        let trim = sqlx::query(sql::TRIM).bind(kept_from.as_millisecond()).bind(TRIM_BATCH);
        let trimmed = write.run(trim).await?;
        if pruned + trimmed > 0 {
            write.commit().await?;
        }
        Ok(pruned)
    }

    async fn changes(
        &self,
        from: Option<LogPosition>,
        limit: u32,
    ) -> Result<ChangeBatch, StoreError> {
        // A number beyond SQLite's is beyond every line.
        let first = from.map_or(i64::MAX, |from| i64::try_from(from.seq.get()).unwrap_or(i64::MAX));
        let limit = if from.is_some() { limit } else { 0 };
        let read =
            sqlx::query(sql::CHANGES).bind(first).bind(limit).fetch_all(&self.connections.lookups);
        let rows = Deadline::start().bound(read).await?;
        self.file.check()?;
        let head = rows.first().ok_or_else(|| StoreError::corrupt("the clock is gone"))?;
        let head = row::position(row::value(head, "head")?, row::value(head, "head_nonce")?)?;
        let lines = rows.iter().filter_map(|line| row::logged(line).transpose());
        Ok(ChangeBatch { lines: lines.collect::<Result<_, _>>()?, head, time: None })
    }

    async fn nudged(&self, seen: LogPosition) {
        loop {
            let mut own = pin!(self.commits.notified());
            own.as_mut().enable();
            match self.changes(None, 0).await {
                Ok(ChangeBatch { head, .. }) if head == seen => {
                    // Other processes cannot tell, so that is looked for now and then.
                    let _ = timeout(GLANCE, own).await;
                }
                Ok(_) => return,
                Err(_) => sleep(GLANCE).await,
            }
        }
    }

    async fn close(&self) {
        self.connections.close().await;
    }

    async fn ping(&self) -> Result<(), StoreError> {
        let read = sqlx::query(sql::PING).fetch_one(&self.connections.lookups);
        Deadline::start().bound(read).await?;
        self.file.check()
    }
}
