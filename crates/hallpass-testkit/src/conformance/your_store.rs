use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use hallpass_core::store::*;
use hallpass_core::{Digest, Event, Owner, Revision, TokenId, TokenRecord};
use jiff::Timestamp;

/// Your store. Clones are handles on the same data.
#[derive(Clone, Debug, Default)]
pub struct YourStore(Arc<Mutex<Tables>>);

/// The data. In a database, these are two tables, and a row with the position of the log.
#[derive(Debug, Default)]
struct Tables {
    tokens: BTreeMap<TokenId, StoredToken>,
    log: Vec<Line>,
}

/// A log entry. In a database, store the target apart from the event's owner and token, because
/// they can differ.
#[derive(Debug)]
struct Line {
    position: LogPosition,
    target: ChangeTarget,
    event: Event,
}

impl YourStore {
    /// Begins a transaction. With a database, returning an error later rolls it back.
    fn transaction(&self) -> Result<MutexGuard<'_, Tables>, StoreError> {
        // A failure of the store is `unavailable`: the response is then a 503 and never a 401.
        self.0
            .lock()
            .map_err(|_| StoreError::unavailable("a thread panicked while it held the lock"))
    }
}

impl Tables {
    /// Returns the position of the newest log entry. With a database: read the position row.
    fn head(&self) -> LogPosition {
        self.log.last().map_or(LogPosition { seq: ChangeSeq::ZERO, nonce: 0 }, |line| line.position)
    }

    /// Writes a log entry with the next number. With a database: update the position row. That
    /// locks it until the commit, so that the order of numbers is the order of commits.
    fn append(&mut self, target: ChangeTarget, event: Event) -> Result<ChangeSeq, StoreError> {
        let nonce = fresh_nonce().map_err(StoreError::unavailable)?;
        let position = LogPosition { seq: self.head().seq.next(), nonce };
        self.log.push(Line { position, target, event });
        Ok(position.seq)
    }

    /// Writes one entry for a change to `count` tokens, or none if the count is 0.
    fn append_bulk(
        &mut self,
        target: ChangeTarget,
        event: &Event,
        count: u64,
    ) -> Result<BulkResult, StoreError> {
        let mut event = event.clone();
        event.count = count;
        let seq = if count > 0 { Some(self.append(target, event)?) } else { None };
        Ok(BulkResult { count, seq })
    }

    /// Returns the token if it is at that revision, or if no revision is expected.
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

    /// Deletes at most `limit` tokens that match.
    fn delete_where(&mut self, limit: u64, matches: impl Fn(&TokenRecord) -> bool) -> u64 {
        let mut count = 0;
        self.tokens.retain(|_, token| {
            let deleted = count < limit && matches(&token.record);
            count += u64::from(deleted);
            !deleted
        });
        count
    }

    /// Revokes at most `limit` tokens that match. With SQL: `UPDATE ... SET revision = revision + 1
    /// WHERE revoked_at IS NULL AND coalesce(regenerated_at, created_at) < ?`
    fn revoke_where(
        &mut self,
        limit: u64,
        issued_before: Option<Timestamp>,
        at: Timestamp,
        matches: impl Fn(&TokenRecord) -> bool,
    ) -> u64 {
        let mut count = 0;
        for StoredToken { record, .. } in self.tokens.values_mut() {
            let is_older = issued_before.is_none_or(|limit| record.secret_issued_at() < limit);
            if count < limit && record.revoked_at.is_none() && is_older && matches(record) {
                (record.revoked_at, record.revision) = (Some(at), record.revision.next());
                count += 1;
            }
        }
        count
    }
}

/// Sets the field `previous_secret_expires_at`. With a database, read it from the column that
/// contains the end of the grace period.
fn fill_in_previous(token: &mut StoredToken) {
    token.record.previous_secret_expires_at =
        token.secrets.previous.as_ref().map(|previous| previous.until);
}

impl TokenStore for YourStore {
    async fn insert(
        &self,
        token: &StoredToken,
        limit: Option<u32>,
        event: &Event,
    ) -> Result<ChangeSeq, StoreError> {
        let mut tables = self.transaction()?;
        let (id, owner) = (token.record.id, &token.record.owner);
        if tables.tokens.contains_key(&id) {
            return Err(StoreError::duplicate());
        }
        // Count in the same transaction: otherwise two concurrent inserts could exceed the limit.
        let tokens = tables.tokens.values().filter(|other| other.record.owner == *owner);
        let in_use = tokens.count() as u64;
        if limit.is_some_and(|limit| in_use >= u64::from(limit)) {
            return Err(StoreError::limit_reached(in_use));
        }
        let mut token = token.clone();
        fill_in_previous(&mut token);
        tables.tokens.insert(id, token);
        tables.append(ChangeTarget::Token(id), event.clone())
    }

    async fn get(&self, id: TokenId) -> Result<Snapshot<Option<StoredToken>>, StoreError> {
        // Read both from one snapshot: with a database, in one statement.
        let tables = self.transaction()?;
        Ok(Snapshot { value: tables.tokens.get(&id).cloned(), as_of: tables.head().seq })
    }

    async fn list(&self, query: &ListQuery) -> Result<ListPage, StoreError> {
        let tables = self.transaction()?;
        // `ListQuery::matches` and `Sort::compare` define the required behaviour of your SQL.
        // `query.text` is folded, so store the folded name and description in additional columns.
        let records = tables.tokens.values().map(|token| &token.record);
        let mut counts = StatusCounts::default();
        for record in records.clone().filter(|record| query.matches_apart_from_status(record)) {
            counts.add(record.status(query.now));
        }
        let mut matching: Vec<_> =
            records.filter(|record| query.matches(record)).cloned().collect();
        let key = |record: &TokenRecord| query.sort.key_of(record);
        matching.sort_by(|a, b| query.sort.compare(&key(a), &key(b)));
        // Start after a position, not after a number of records, because records are inserted and
        // deleted between pages.
        if let Some(after) = &query.after {
            matching.retain(|record| query.sort.compare(&key(record), after).is_gt());
        }
        let more = matching.len() > query.limit as usize;
        matching.truncate(query.limit as usize);
        Ok(ListPage { records: matching, counts, more, as_of: tables.head().seq })
    }

    async fn update(&self, change: &Change, event: &Event) -> Result<ChangeSeq, StoreError> {
        let mut tables = self.transaction()?;
        // With SQL: UPDATE ... WHERE id = ? AND revision = ?
        let token = tables.at(change.record.id, Some(change.expected()))?;
        let last_used_at = token.record.last_used_at;
        token.record.clone_from(&change.record);
        token.record.last_used_at = last_used_at;
        if let Some(secrets) = &change.secrets {
            token.secrets.clone_from(secrets);
        }
        fill_in_previous(token);
        tables.append(ChangeTarget::Token(change.record.id), event.clone())
    }

    async fn replace_digest(
        &self,
        id: TokenId,
        expected: &Digest,
        secrets: &Secrets,
        event: &Event,
    ) -> Result<ChangeSeq, StoreError> {
        let mut tables = self.transaction()?;
        let token = tables.at(id, None)?;
        if !token.secrets.current.ct_eq(expected) {
            return Err(StoreError::conflict());
        }
        token.secrets.clone_from(secrets);
        fill_in_previous(token);
        tables.append(ChangeTarget::Token(id), event.clone())
    }

    async fn delete(
        &self,
        id: TokenId,
        expected: Option<Revision>,
        event: &Event,
    ) -> Result<ChangeSeq, StoreError> {
        let mut tables = self.transaction()?;
        tables.at(id, expected)?;
        tables.tokens.remove(&id);
        tables.append(ChangeTarget::Token(id), event.clone())
    }

    async fn delete_many(
        &self,
        owner: Option<&Owner>,
        ids: &[TokenId],
        event: &Event,
    ) -> Result<Deleted, StoreError> {
        let mut tables = self.transaction()?;
        let mut deleted = Deleted::default();
        for &id in ids {
            let token_owner = tables.tokens.get(&id).map(|token| token.record.owner.clone());
            if let Some(of) = token_owner.filter(|of| owner.is_none_or(|owner| owner == of)) {
                tables.tokens.remove(&id);
                let mut event = event.clone();
                (event.token_id, event.owner) = (Some(id), Some(of.clone()));
                deleted.seq = Some(tables.append(ChangeTarget::Token(id), event)?);
                deleted.tokens.push((id, of));
            }
        }
        Ok(deleted)
    }

    async fn delete_owner(&self, owner: &Owner, event: &Event) -> Result<BulkResult, StoreError> {
        let mut tables = self.transaction()?;
        let count = tables.delete_where(u64::MAX, |record| record.owner == *owner);
        tables.append_bulk(ChangeTarget::Owner(owner.clone()), event, count)
    }

    async fn revoke_owner(
        &self,
        owner: &Owner,
        issued_before: Option<Timestamp>,
        at: Timestamp,
        event: &Event,
    ) -> Result<BulkResult, StoreError> {
        let mut tables = self.transaction()?;
        let is_owned = |record: &TokenRecord| record.owner == *owner;
        let count = tables.revoke_where(u64::MAX, issued_before, at, is_owned);
        tables.append_bulk(ChangeTarget::Owner(owner.clone()), event, count)
    }

    async fn revoke_everyone(
        &self,
        issued_before: Option<Timestamp>,
        at: Timestamp,
        limit: u32,
        event: &Event,
    ) -> Result<BulkResult, StoreError> {
        let mut tables = self.transaction()?;
        let count = tables.revoke_where(limit.into(), issued_before, at, |_| true);
        tables.append_bulk(ChangeTarget::All, event, count)
    }

    async fn log_owner_change(
        &self,
        owner: &Owner,
        event: &Event,
    ) -> Result<ChangeSeq, StoreError> {
        self.transaction()?.append(ChangeTarget::Owner(owner.clone()), event.clone())
    }

    async fn record_uses(&self, uses: &[TokenUse]) -> Result<u64, StoreError> {
        let mut tables = self.transaction()?;
        let mut updated = 0;
        for usage in uses {
            // With SQL: UPDATE ... SET last_used_at = ? WHERE id = ? AND revision = ?
            // AND (last_used_at IS NULL OR last_used_at < ?)
            if let Ok(token) = tables.at(usage.id, Some(usage.revision))
                && token.record.last_used_at.is_none_or(|last| last < usage.at)
            {
                token.record.last_used_at = Some(usage.at);
                updated += 1;
            }
        }
        Ok(updated)
    }

    async fn prune(
        &self,
        ended_before: Timestamp,
        limit: u32,
        event: &Event,
    ) -> Result<u64, StoreError> {
        let mut tables = self.transaction()?;
        let is_before = |end: Option<Timestamp>| end.is_some_and(|end| end < ended_before);
        let count = tables.delete_where(limit.into(), |record| {
            is_before(record.expires_at) || is_before(record.revoked_at)
        });
        Ok(tables.append_bulk(ChangeTarget::None, event, count)?.count)
    }

    async fn prune_log(&self, written_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut tables = self.transaction()?;
        // The newest entry stays, because its nonce identifies the position of the log.
        let deletable = tables.log.len().saturating_sub(1).min(limit as usize);
        let old = tables.log[..deletable].iter().take_while(|line| line.event.at < written_before);
        let old = old.count();
        tables.log.drain(..old);
        Ok(old as u64)
    }

    async fn changes(
        &self,
        from: Option<LogPosition>,
        limit: u32,
    ) -> Result<ChangeBatch, StoreError> {
        let tables = self.transaction()?;
        let is_wanted = |line: &&Line| from.is_some_and(|from| line.position.seq >= from.seq);
        let lines = tables.log.iter().filter(is_wanted).take(limit as usize);
        let entries = lines
            .map(|line| ChangeEntry { position: line.position, target: line.target.clone() })
            .collect();
        Ok(ChangeBatch { entries, head: tables.head(), time: None })
    }

    async fn audit(&self, query: &AuditQuery) -> Result<AuditPage, StoreError> {
        let tables = self.transaction()?;
        // With SQL: WHERE owner = ? AND seq < ? ORDER BY seq DESC LIMIT ?, with an index on
        // (owner, seq) and one on (token_id, seq). `Event::details_json` is one more column.
        let mut lines: Vec<_> = tables.log.iter().collect();
        if !query.ascending {
            lines.reverse();
        }
        lines.retain(|line| {
            let is_after = query.after.is_none_or(|after| match query.ascending {
                true => line.position.seq > after,
                false => line.position.seq < after,
            });
            is_after && query.matches(&line.event)
        });
        let more = lines.len() > query.limit as usize;
        let lines = lines.into_iter().take(query.limit as usize);
        let entries = lines.map(|line| AuditEntry::new(line.position.seq, line.event.clone()));
        Ok(AuditPage { entries: entries.collect(), more })
    }

    async fn wait_for_change(&self, _: LogPosition) {
        // A database that can notify waits for a notification here.
        std::future::pending::<()>().await;
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.transaction().map(drop)
    }

    async fn close(&self) {}
}
