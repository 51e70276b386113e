//! The implementation of [`TokenStore`].

use std::pin::pin;
use std::time::Duration;

use hallpass_core::store::{
    AuditPage, AuditQuery, BulkResult, Change, ChangeBatch, ChangeSeq, ChangeTarget, Deleted,
    ListPage, ListQuery, LogPosition, Secrets, Snapshot, StoreError, StoredToken, TokenStore,
    TokenUse,
};
use hallpass_core::{Digest, Event, Owner, Revision, TokenId};
use hallpass_sql::{record_values, revision};
use jiff::Timestamp;
use sqlx::Row as _;
use tokio::time::{sleep, timeout};

use crate::connections::Deadline;
use crate::sql::{self, SqliteDialect, bind_all, id_bytes, millis};
use crate::store::SqliteStore;

/// The interval at which [`wait_for_change`](TokenStore::wait_for_change) looks for changes of
/// other processes.
const POLL_INTERVAL: Duration = Duration::from_millis(250);

impl TokenStore for SqliteStore {
    async fn insert(
        &self,
        token: &StoredToken,
        limit: Option<u32>,
        event: &Event,
    ) -> Result<ChangeSeq, StoreError> {
        let mut write = self.write().await?;
        write.insert(token, limit).await?;
        write.finish(&ChangeTarget::Token(token.record.id), event).await
    }

    async fn get(&self, id: TokenId) -> Result<Snapshot<Option<StoredToken>>, StoreError> {
        let get = sqlx::query(&**sql::GET).bind(id_bytes(id));
        // There is one row. `fetch_optional` lets the driver stop after it. `fetch_all` would wait
        // for a second message from the connection's thread.
        let row = self.read(get.fetch_optional(&self.connections.lookups)).await?;
        let row = row.ok_or_else(|| StoreError::corrupt("the clock's row is missing"))?;
        let value = hallpass_sql::stored_token(&row)?;
        Ok(Snapshot { value, as_of: hallpass_sql::seq(&row, "as_of")? })
    }

    async fn list(&self, query: &ListQuery) -> Result<ListPage, StoreError> {
        let list = sql::built(hallpass_sql::list::<SqliteDialect>(query));
        let rows = self.read(list.fetch_all(&self.connections.lists)).await?;
        hallpass_sql::list_page(&rows, query)
    }

    async fn update(&self, change: &Change, event: &Event) -> Result<ChangeSeq, StoreError> {
        let id = change.record.id;
        let mut write = self.write().await?;
        let update = bind_all(sqlx::query(&**sql::UPDATE), record_values(&change.record));
        if write.run(update).await? == 0 {
            return Err(write.missed(id).await);
        }
        if let Some(secrets) = &change.secrets {
            write.replace_secrets(id, secrets).await?;
        }
        write.finish(&ChangeTarget::Token(id), event).await
    }

    async fn replace_digest(
        &self,
        id: TokenId,
        expected: &Digest,
        secrets: &Secrets,
        event: &Event,
    ) -> Result<ChangeSeq, StoreError> {
        let mut write = self.write().await?;
        let unchanged = sqlx::query(sql::HAS_DIGEST)
            .bind(id_bytes(id))
            .bind(expected.algorithm())
            .bind(expected.bytes().as_slice());
        if write.row(unchanged).await?.is_none() {
            return Err(write.missed(id).await);
        }
        write.replace_secrets(id, secrets).await?;
        write.finish(&ChangeTarget::Token(id), event).await
    }

    async fn delete(
        &self,
        id: TokenId,
        expected: Option<Revision>,
        event: &Event,
    ) -> Result<ChangeSeq, StoreError> {
        let mut write = self.write().await?;
        let delete = sqlx::query(sql::DELETE).bind(id_bytes(id)).bind(expected.map(revision));
        if write.run(delete).await? == 0 {
            return Err(write.missed(id).await);
        }
        write.finish(&ChangeTarget::Token(id), event).await
    }

    async fn delete_many(
        &self,
        owner: Option<&Owner>,
        ids: &[TokenId],
        event: &Event,
    ) -> Result<Deleted, StoreError> {
        let mut write = self.write().await?;
        let mut deleted = Deleted::default();
        for &id in ids {
            let delete =
                sqlx::query(sql::DELETE_OF).bind(id_bytes(id)).bind(owner.map(Owner::as_str));
            let Some(row) = write.row(delete).await? else { continue };
            let owner: &str = row.try_get("owner").map_err(StoreError::corrupt)?;
            let owner = Owner::new(owner).map_err(StoreError::corrupt)?;
            let mut event = event.clone();
            event.token_id = Some(id);
            event.owner = Some(owner.clone());
            deleted.seq = Some(write.log(&ChangeTarget::Token(id), &event).await?);
            deleted.tokens.push((id, owner));
        }
        if deleted.seq.is_some() {
            write.commit().await?;
        }
        Ok(deleted)
    }

    async fn delete_owner(&self, owner: &Owner, event: &Event) -> Result<BulkResult, StoreError> {
        let mut write = self.write().await?;
        let count = write.run(sqlx::query(sql::DELETE_OWNER).bind(owner.as_str())).await?;
        write.finish_bulk(&ChangeTarget::Owner(owner.clone()), event, count).await
    }

    async fn revoke_owner(
        &self,
        owner: &Owner,
        issued_before: Option<Timestamp>,
        at: Timestamp,
        event: &Event,
    ) -> Result<BulkResult, StoreError> {
        let mut write = self.write().await?;
        let revoke = sqlx::query(sql::REVOKE_OWNER)
            .bind(at.as_millisecond())
            .bind(owner.as_str())
            .bind(millis(issued_before));
        let count = write.run(revoke).await?;
        write.finish_bulk(&ChangeTarget::Owner(owner.clone()), event, count).await
    }

    async fn revoke_everyone(
        &self,
        issued_before: Option<Timestamp>,
        at: Timestamp,
        limit: u32,
        event: &Event,
    ) -> Result<BulkResult, StoreError> {
        let mut write = self.write().await?;
        let revoke = sqlx::query(sql::REVOKE_EVERYONE)
            .bind(at.as_millisecond())
            .bind(limit)
            .bind(millis(issued_before));
        let count = write.run(revoke).await?;
        write.finish_bulk(&ChangeTarget::All, event, count).await
    }

    async fn log_owner_change(
        &self,
        owner: &Owner,
        event: &Event,
    ) -> Result<ChangeSeq, StoreError> {
        self.write().await?.finish(&ChangeTarget::Owner(owner.clone()), event).await
    }

    async fn record_uses(&self, uses: &[TokenUse]) -> Result<u64, StoreError> {
        let mut write = self.write().await?;
        let count = write.run(sqlx::query(sql::RECORD_USES).bind(uses_json(uses))).await?;
        if count > 0 {
            write.commit().await?;
        }
        Ok(count)
    }

    async fn prune(
        &self,
        ended_before: Timestamp,
        limit: u32,
        event: &Event,
    ) -> Result<u64, StoreError> {
        let mut write = self.write().await?;
        let prune = sqlx::query(sql::PRUNE).bind(ended_before.as_millisecond()).bind(limit);
        let count = write.run(prune).await?;
        Ok(write.finish_bulk(&ChangeTarget::None, event, count).await?.count)
    }

    async fn prune_log(&self, written_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut write = self.write().await?;
        let prune = sqlx::query(sql::PRUNE_LOG).bind(written_before.as_millisecond()).bind(limit);
        let count = write.run(prune).await?;
        if count > 0 {
            write.commit().await?;
        }
        Ok(count)
    }

    async fn changes(
        &self,
        from: Option<LogPosition>,
        limit: u32,
    ) -> Result<ChangeBatch, StoreError> {
        // A number that is too large for SQLite is above that of every entry.
        let first = from.map_or(i64::MAX, |from| i64::try_from(from.seq.get()).unwrap_or(i64::MAX));
        let limit = if from.is_some() { limit } else { 0 };
        let changes = sqlx::query(sql::CHANGES).bind(first).bind(limit);
        let rows = self.read(changes.fetch_all(&self.connections.lookups)).await?;
        hallpass_sql::change_batch(&rows)
    }

    async fn audit(&self, query: &AuditQuery) -> Result<AuditPage, StoreError> {
        let audit = sql::built(hallpass_sql::audit::<SqliteDialect>(query));
        let rows = self.read(audit.fetch_all(&self.connections.lists)).await?;
        hallpass_sql::audit_page(&rows, query.limit)
    }

    async fn wait_for_change(&self, seen: LogPosition) {
        loop {
            // This must come before the log is read. Otherwise a commit in between would be missed.
            let mut own = pin!(self.commits.notified());
            own.as_mut().enable();
            match self.changes(None, 0).await {
                Ok(ChangeBatch { head, .. }) if head == seen => {
                    // Other processes cannot notify this one.
                    let _ = timeout(POLL_INTERVAL, own).await;
                }
                Ok(_) => return,
                Err(_) => sleep(POLL_INTERVAL).await,
            }
        }
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.get(TokenId::NIL).await.map(drop)
    }

    async fn close(&self) {
        self.connections.close().await;
    }
}

impl SqliteStore {
    /// Reads rows. Returns an error if the file at the path is no longer the open one.
    async fn read<T>(
        &self,
        reading: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, StoreError> {
        let rows = Deadline::start().bound(reading).await;
        // This error names the file. SQLite's own error may be its consequence.
        self.file.check()?;
        rows
    }
}

/// Writes uses as the JSON text for [`RECORD_USES`](sql::RECORD_USES). It contains only hexadecimal
/// digits and numbers, so nothing has to be escaped.
pub(crate) fn uses_json(uses: &[TokenUse]) -> String {
    let list: Vec<_> = uses
        .iter()
        .map(|usage| {
            let (id, at) = (usage.id.as_uuid().simple(), usage.at.as_millisecond());
            format!(r#"["{id}",{},{at}]"#, revision(usage.revision))
        })
        .collect();
    format!("[{}]", list.join(","))
}
