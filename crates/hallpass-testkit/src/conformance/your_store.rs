use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use hallpass_core::store::*;
use hallpass_core::{Digest, Owner, Revision, TokenId, TokenRecord};
use jiff::Timestamp;

/// Your store. Clones are handles on the same data.
#[derive(Clone, Debug, Default)]
pub struct YourStore(Arc<Mutex<Tables>>);

/// With a database these are two tables and a row for the clock.
#[derive(Debug, Default)]
struct Tables {
    tokens: BTreeMap<TokenId, StoredToken>,
    changes: Vec<ChangeEntry>,
}

impl YourStore {
    /// With a database: begin a transaction.
    fn transaction(&self) -> Result<MutexGuard<'_, Tables>, StoreError> {
        // Trouble of the store's own is `unavailable`: the answer to a request is 503 then, and never 401.
        self.0.lock().map_err(|_| StoreError::unavailable("a thread died while it held the lock"))
    }
}

impl Tables {
    /// How far the log has come. With a database: the clock's row.
    fn head(&self) -> LogPosition {
        self.changes.last().map_or(LogPosition { seq: ChangeSeq::ZERO, nonce: 0 }, |line| line.at)
    }

    /// Takes the next number and logs the change. With a database: update the clock's row, which locks it until the
    /// commit, so that the order of numbers is the order of commits.
    fn log(&mut self, scope: ChangeTarget) -> Result<ChangeSeq, StoreError> {
        let nonce = fresh_nonce().map_err(StoreError::unavailable)?;
        let at = LogPosition { seq: self.head().seq.next(), nonce };
        self.changes.push(ChangeEntry { at, scope });
        Ok(at.seq)
    }

    /// One change to so many tokens of an owner; to none, it is none.
    fn log_bulk(&mut self, owner: &Owner, count: usize) -> Result<BulkResult, StoreError> {
        if count == 0 {
            return Ok(BulkResult::default());
        }
        let seq = self.log(ChangeTarget::Owner(owner.clone()))?;
        Ok(BulkResult { count: count as u64, seq: Some(seq) })
    }

    /// The token, if it is at that revision or none is expected.
    fn at(
        &mut self,
        id: TokenId,
        expected: Option<Revision>,
    ) -> Result<&mut StoredToken, StoreError> {
        let token = self.tokens.get_mut(&id).ok_or_else(StoreError::not_found)?;
        if expected.is_some_and(|expected| expected != token.record.revision) {
            return Err(StoreError::conflict());
        }
        Ok(token)
    }
}

impl TokenStore for YourStore {
    async fn insert(
        &self,
        token: &StoredToken,
        limit: Option<u32>,
    ) -> Result<ChangeSeq, StoreError> {
        let mut tables = self.transaction()?;
        let (id, owner) = (token.record.id, &token.record.owner);
        if tables.tokens.contains_key(&id) {
            return Err(StoreError::duplicate());
        }
        // In one transaction with the insert, or two of them find room for one.
        let hers = tables.tokens.values().filter(|other| other.record.owner == *owner);
        let in_use = hers.count() as u64;
        if limit.is_some_and(|limit| in_use >= u64::from(limit)) {
            return Err(StoreError::limit_reached(in_use));
        }
        tables.tokens.insert(id, token.clone());
        tables.log(ChangeTarget::Token(id))
    }

    async fn find(&self, id: TokenId) -> Result<Snapshot<Option<StoredToken>>, StoreError> {
        // Both from one snapshot: with a database, one statement.
        let tables = self.transaction()?;
        Ok(Snapshot { value: tables.tokens.get(&id).cloned(), as_of: tables.head().seq })
    }

    async fn list(&self, query: &ListQuery) -> Result<ListPage, StoreError> {
        let tables = self.transaction()?;
        // `ListQuery::matches` and `Sort::compare` say what your SQL has to do. `query.text` comes folded: keep what
        // `fold` makes of names and descriptions beside them.
        let records = tables.tokens.values().map(|token| &token.record);
        let mut found: Vec<_> = records.filter(|record| query.matches(record)).cloned().collect();
        let total = found.len() as u64;
        let key = |record: &TokenRecord| query.sort.key_of(record);
        found.sort_by(|a, b| query.sort.compare(&key(a), &key(b)));
        // Behind a place, not behind so many records: others may come and go between two pages.
        if let Some(after) = &query.after {
            found.retain(|record| query.sort.compare(&key(record), after).is_gt());
        }
        let more = found.len() > query.limit as usize;
        found.truncate(query.limit as usize);
        Ok(ListPage { records: found, total, more })
    }

    async fn change(&self, change: &Change) -> Result<ChangeSeq, StoreError> {
        let mut tables = self.transaction()?;
        // With SQL: UPDATE ... WHERE id = ? AND revision = ?
        let token = tables.at(change.record.id, Some(change.expected()))?;
        let last_used_at = token.record.last_used_at;
        token.record.clone_from(&change.record);
        token.record.last_used_at = last_used_at;
        if let Some(secrets) = &change.secrets {
            token.secrets.clone_from(secrets);
        }
        tables.log(ChangeTarget::Token(change.record.id))
    }

    async fn rekey(
        &self,
        id: TokenId,
        expected: &Digest,
        secrets: &Secrets,
    ) -> Result<ChangeSeq, StoreError> {
        let mut tables = self.transaction()?;
        let token = tables.at(id, None)?;
        if !token.secrets.current.ct_eq(expected) {
            return Err(StoreError::conflict());
        }
        token.secrets.clone_from(secrets);
        tables.log(ChangeTarget::Token(id))
    }

    async fn delete(
        &self,
        id: TokenId,
        expected: Option<Revision>,
    ) -> Result<ChangeSeq, StoreError> {
        let mut tables = self.transaction()?;
        tables.at(id, expected)?;
        tables.tokens.remove(&id);
        tables.log(ChangeTarget::Token(id))
    }

    async fn delete_many(
        &self,
        owner: Option<&Owner>,
        ids: &[TokenId],
    ) -> Result<Deleted, StoreError> {
        let mut tables = self.transaction()?;
        let mut deleted = Deleted::default();
        for &id in ids {
            let found = tables.tokens.get(&id).map(|token| token.record.owner.clone());
            if let Some(of) = found.filter(|of| owner.is_none_or(|owner| owner == of)) {
                tables.tokens.remove(&id);
                deleted.tokens.push((id, of));
                deleted.seq = Some(tables.log(ChangeTarget::Token(id))?);
            }
        }
        Ok(deleted)
    }

    async fn delete_owner(&self, owner: &Owner) -> Result<BulkResult, StoreError> {
        let mut tables = self.transaction()?;
        let before = tables.tokens.len();
        tables.tokens.retain(|_, token| token.record.owner != *owner);
        let count = before - tables.tokens.len();
        tables.log_bulk(owner, count)
    }

    async fn revoke_owner(&self, owner: &Owner, at: Timestamp) -> Result<BulkResult, StoreError> {
        let mut tables = self.transaction()?;
        let mut count = 0;
        for StoredToken { record, .. } in tables.tokens.values_mut() {
            if record.owner == *owner && record.revoked_at.is_none() {
                (record.revoked_at, record.revision) = (Some(at), record.revision.next());
                count += 1;
            }
        }
        tables.log_bulk(owner, count)
    }

    async fn announce(&self, owner: &Owner) -> Result<ChangeSeq, StoreError> {
        self.transaction()?.log(ChangeTarget::Owner(owner.clone()))
    }

    async fn touch(&self, uses: &[TokenUse]) -> Result<u64, StoreError> {
        let mut tables = self.transaction()?;
        let mut moved = 0;
        for usage in uses {
            // A token that is gone, or another one by now, is left alone. With SQL: UPDATE ... SET last_used_at = ?
            // WHERE id = ? AND revision = ? AND (last_used_at IS NULL OR last_used_at < ?)
            if let Ok(token) = tables.at(usage.id, Some(usage.revision))
                && token.record.last_used_at.is_none_or(|last| last < usage.at)
            {
                token.record.last_used_at = Some(usage.at);
                moved += 1;
            }
        }
        Ok(moved)
    }

    async fn prune(&self, ended_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut tables = self.transaction()?;
        let before = |end: Option<Timestamp>| end.is_some_and(|end| end < ended_before);
        let mut pruned = 0;
        tables.tokens.retain(|_, StoredToken { record, .. }| {
            let ended = before(record.expires_at) || before(record.revoked_at);
            let goes = ended && pruned < u64::from(limit);
            pruned += u64::from(goes);
            !goes
        });
        // And lines of the log that are older than a day, say, but never the last one.
        Ok(pruned)
    }

    async fn changes(
        &self,
        from: Option<LogPosition>,
        limit: u32,
    ) -> Result<ChangeBatch, StoreError> {
        let tables = self.transaction()?;
        let is_wanted = |line: &&ChangeEntry| from.is_some_and(|from| line.at.seq >= from.seq);
        let lines = tables.changes.iter().filter(is_wanted).take(limit as usize).cloned();
        Ok(ChangeBatch { lines: lines.collect(), head: tables.head(), time: None })
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.transaction().map(drop)
    }
}
