//! What each verb of the trait is in SQL.

use hallpass_core::store::{
    Bulk, Change, Changes, Deleted, ListPage, ListQuery, Position, Secrets, Seq, Snapshot,
    StoreError, StoredToken, TokenStore, Use,
};
use hallpass_core::{Digest, Owner, Revision, TokenId, fold};
use jiff::{SignedDuration, Timestamp};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::connections::Deadline;
use crate::list;
use crate::row::{self, id_bytes, millis, stored_columns};
use crate::store::SqliteStore;

/// How long a line of the change log is kept at least.
const RETENTION: SignedDuration = SignedDuration::from_hours(24);

/// The token and the clock, in one statement and so in one snapshot.
const FIND: &str =
    concat!("SELECT seq, ", stored_columns!(), " FROM clock LEFT JOIN tokens ON id = ?");

impl TokenStore for SqliteStore {
    async fn insert(&self, token: &StoredToken, limit: Option<u32>) -> Result<Seq, StoreError> {
        let StoredToken { record, secrets } = token;
        let mut write = self.write().await?;
        let taken = "SELECT EXISTS (SELECT 1 FROM tokens WHERE id = ?), \
                     (SELECT count(*) FROM tokens WHERE owner = ?)";
        let taken = sqlx::query(taken).bind(id_bytes(record.id)).bind(record.owner.as_str());
        let taken = write.row(taken).await?.ok_or_else(|| StoreError::corrupt("no count"))?;
        if number(&taken, 0)? != 0 {
            return Err(StoreError::duplicate());
        }
        let in_use = number(&taken, 1)?;
        if limit.is_some_and(|limit| in_use >= u64::from(limit)) {
            return Err(StoreError::limit_reached(in_use));
        }
        let insert = "INSERT INTO tokens (id, owner, name, name_key, description, description_key, \
                      scopes, created_at, expires_at, last_used_at, revoked_at, regenerated_at, \
                      revision, algorithm, digest, previous_algorithm, previous_digest, previous_until) \
                      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        let previous = secrets.previous.as_ref();
        let insert = sqlx::query(insert)
            .bind(id_bytes(record.id))
            .bind(record.owner.as_str())
            .bind(record.name.as_str())
            .bind(fold(&record.name))
            .bind(record.description.as_str())
            .bind(fold(&record.description))
            .bind(record.scopes.to_string())
            .bind(record.created_at.as_millisecond())
            .bind(millis(record.expires_at))
            .bind(millis(record.last_used_at))
            .bind(millis(record.revoked_at))
            .bind(millis(record.regenerated_at))
            .bind(row::revision(record.revision))
            .bind(secrets.current.algorithm())
            .bind(secrets.current.bytes().as_slice())
            .bind(previous.map(|previous| previous.digest.algorithm()))
            .bind(previous.map(|previous| previous.digest.bytes().as_slice()))
            .bind(previous.map(|previous| previous.until.as_millisecond()));
        write.run(insert).await?;
        let seq = write.log_token(record.id).await?;
        write.commit().await?;
        Ok(seq)
    }

    async fn find(&self, id: TokenId) -> Result<Snapshot<Option<StoredToken>>, StoreError> {
        let query = sqlx::query(FIND).bind(id_bytes(id)).fetch_one(&self.connections.lookups);
        let found = Deadline::start().bound(query).await?;
        self.file.check()?;
        let as_of = row::seq(found.try_get("seq").map_err(StoreError::corrupt)?)?;
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
        Ok(ListPage { records, total: number(&total, 0)?, more })
    }

    async fn change(&self, change: &Change) -> Result<Seq, StoreError> {
        let record = &change.record;
        let mut write = self.write().await?;
        let update = "UPDATE tokens SET owner = ?, name = ?, name_key = ?, description = ?, \
                      description_key = ?, scopes = ?, created_at = ?, expires_at = ?, \
                      revoked_at = ?, regenerated_at = ?, revision = ? WHERE id = ? AND revision = ?";
        let update = sqlx::query(update)
            .bind(record.owner.as_str())
            .bind(record.name.as_str())
            .bind(fold(&record.name))
            .bind(record.description.as_str())
            .bind(fold(&record.description))
            .bind(record.scopes.to_string())
            .bind(record.created_at.as_millisecond())
            .bind(millis(record.expires_at))
            .bind(millis(record.revoked_at))
            .bind(millis(record.regenerated_at))
            .bind(row::revision(record.revision))
            .bind(id_bytes(record.id))
            .bind(row::revision(change.expected()));
        if write.run(update).await? == 0 {
            return Err(write.missed(record.id).await);
        }
        if let Some(secrets) = &change.secrets {
            write.set_secrets(record.id, secrets).await?;
        }
        let seq = write.log_token(record.id).await?;
        write.commit().await?;
        Ok(seq)
    }

    async fn rekey(
        &self,
        id: TokenId,
        expected: &Digest,
        secrets: &Secrets,
    ) -> Result<Seq, StoreError> {
        let mut write = self.write().await?;
        let still = "SELECT 1 FROM tokens WHERE id = ? AND algorithm = ? AND digest = ?";
        let still = sqlx::query(still)
            .bind(id_bytes(id))
            .bind(expected.algorithm())
            .bind(expected.bytes().as_slice());
        if write.row(still).await?.is_none() {
            return Err(write.missed(id).await);
        }
        write.set_secrets(id, secrets).await?;
        let seq = write.log_token(id).await?;
        write.commit().await?;
        Ok(seq)
    }

    async fn delete(&self, id: TokenId, expected: Option<Revision>) -> Result<Seq, StoreError> {
        let mut write = self.write().await?;
        let delete = "DELETE FROM tokens WHERE id = ?1 AND (?2 IS NULL OR revision = ?2)";
        let delete = sqlx::query(delete).bind(id_bytes(id)).bind(expected.map(row::revision));
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
                "DELETE FROM tokens WHERE id = ?1 AND (?2 IS NULL OR owner = ?2) RETURNING owner";
            let delete = sqlx::query(delete).bind(id_bytes(id)).bind(owner.map(Owner::as_str));
            let Some(gone) = write.row(delete).await? else {
                continue;
            };
            let owner: &str = gone.try_get(0).map_err(StoreError::corrupt)?;
            deleted.tokens.push((id, Owner::new(owner).map_err(StoreError::corrupt)?));
            deleted.seq = Some(write.log_token(id).await?);
        }
        if deleted.seq.is_some() {
            write.commit().await?;
        }
        Ok(deleted)
    }

    async fn delete_owner(&self, owner: &Owner) -> Result<Bulk, StoreError> {
        let mut write = self.write().await?;
        let delete = sqlx::query("DELETE FROM tokens WHERE owner = ?").bind(owner.as_str());
        let count = write.run(delete).await?;
        write.finish_bulk(owner, count).await
    }

    async fn revoke_owner(&self, owner: &Owner, at: Timestamp) -> Result<Bulk, StoreError> {
        let mut write = self.write().await?;
        let revoke = "UPDATE tokens SET revoked_at = ?, revision = revision + 1 \
                      WHERE owner = ? AND revoked_at IS NULL";
        let revoke = sqlx::query(revoke).bind(at.as_millisecond()).bind(owner.as_str());
        let count = write.run(revoke).await?;
        write.finish_bulk(owner, count).await
    }

    async fn announce(&self, owner: &Owner) -> Result<Seq, StoreError> {
        let mut write = self.write().await?;
        let seq = write.log_owner(owner).await?;
        write.commit().await?;
        Ok(seq)
    }

    async fn touch(&self, uses: &[Use]) -> Result<u64, StoreError> {
        let mut write = self.write().await?;
        let mut moved = 0;
        for usage in uses {
            let touch = "UPDATE tokens SET last_used_at = ?1 WHERE id = ?2 AND revision = ?3 \
                         AND (last_used_at IS NULL OR last_used_at < ?1)";
            let touch = sqlx::query(touch)
                .bind(usage.at.as_millisecond())
                .bind(id_bytes(usage.id))
                .bind(row::revision(usage.revision));
            moved += write.run(touch).await?;
        }
        if moved > 0 {
            write.commit().await?;
        }
        Ok(moved)
    }

    async fn prune(&self, ended_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut write = self.write().await?;
        let prune = "DELETE FROM tokens WHERE id IN (SELECT id FROM tokens \
                     WHERE revoked_at < ?1 OR expires_at < ?1 LIMIT ?2)";
        let prune = sqlx::query(prune).bind(ended_before.as_millisecond()).bind(limit);
        let pruned = write.run(prune).await?;
        // From the oldest line on and without a gap, whatever the system's clock did meanwhile.
        let trim = "DELETE FROM changes WHERE seq <= (SELECT max(seq) FROM \
                    (SELECT seq, at FROM changes ORDER BY seq LIMIT ?2) WHERE at < ?1)";
        let kept_from = Timestamp::now() - RETENTION;
        let trim = sqlx::query(trim).bind(kept_from.as_millisecond()).bind(limit);
        let trimmed = write.run(trim).await?;
        if pruned + trimmed > 0 {
            write.commit().await?;
        }
        Ok(pruned)
    }

    async fn changes(&self, from: Option<Position>, limit: u32) -> Result<Changes, StoreError> {
        // One statement and so one snapshot. The head comes with each line, and alone if there is none.
        let read = "SELECT head.seq AS head, head.nonce AS head_nonce, \
                    line.seq, line.nonce, line.kind, line.token, line.owner \
                    FROM clock AS head LEFT JOIN \
                    (SELECT * FROM changes WHERE seq >= ? ORDER BY seq LIMIT ?) AS line \
                    ORDER BY line.seq";
        // A number beyond SQLite's is beyond every line.
        let first = from.map_or(i64::MAX, |from| i64::try_from(from.seq.get()).unwrap_or(i64::MAX));
        let limit = if from.is_some() { limit } else { 0 };
        let read = sqlx::query(read).bind(first).bind(limit).fetch_all(&self.connections.lookups);
        let rows = Deadline::start().bound(read).await?;
        self.file.check()?;
        let head = rows.first().ok_or_else(|| StoreError::corrupt("the clock is gone"))?;
        let head = row::position(
            head.try_get("head").map_err(StoreError::corrupt)?,
            head.try_get("head_nonce").map_err(StoreError::corrupt)?,
        )?;
        let lines = rows.iter().filter_map(|line| row::logged(line).transpose());
        Ok(Changes { lines: lines.collect::<Result<_, _>>()?, head })
    }

    async fn ping(&self) -> Result<(), StoreError> {
        let read = sqlx::query("SELECT seq FROM clock").fetch_one(&self.connections.lookups);
        Deadline::start().bound(read).await?;
        self.file.check()
    }
}

/// A column that counts something.
fn number(row: &SqliteRow, column: usize) -> Result<u64, StoreError> {
    let count: i64 = row.try_get(column).map_err(StoreError::corrupt)?;
    u64::try_from(count).map_err(StoreError::corrupt)
}
