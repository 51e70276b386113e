//! [`MemoryStore`].

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hallpass_core::store::{
    AuditPage, AuditQuery, BulkResult, Change, ChangeBatch, ChangeSeq, ChangeTarget, Deleted,
    ListPage, ListQuery, LogPosition, Secrets, Snapshot, StatusCounts, StoreError, StoredToken,
    TokenStore, TokenUse,
};
use hallpass_core::{Digest, Event, Owner, Revision, TokenId};
use jiff::Timestamp;

use crate::state::State;

/// A token store in memory. Clones share the tokens, which are lost when the last clone is dropped.
///
/// Several handles can use one store. They then behave like several nodes that share a database:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), hallpass_core::Error> {
/// use hallpass_core::{Actor, Hallpass, NewToken};
/// use hallpass_memory::MemoryStore;
///
/// let store = MemoryStore::new();
/// let one = Hallpass::builder(store.clone()).build();
/// let other = Hallpass::builder(store).build();
/// let issued = one.issue(&Actor::owner("alice"), NewToken::named("ci")).await?;
/// assert!(other.authenticate(issued.token.reveal().as_bytes()).await.is_ok());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct MemoryStore(Arc<Mutex<State>>);

impl MemoryStore {
    /// Creates an empty store.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(State::new())))
    }

    /// Locks the state, even if a panic has poisoned the lock. Each method first checks and then
    /// changes the state, so a panic cannot leave it half changed.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl TokenStore for MemoryStore {
    async fn insert(
        &self,
        token: &StoredToken,
        limit: Option<u32>,
        event: &Event,
    ) -> Result<ChangeSeq, StoreError> {
        let mut state = self.lock();
        if state.tokens.contains_key(&token.record.id) {
            return Err(StoreError::duplicate());
        }
        let in_use = state.count(&token.record.owner) as u64;
        if limit.is_some_and(|limit| in_use >= u64::from(limit)) {
            return Err(StoreError::limit_reached(in_use));
        }
        let seq = state.log.append(ChangeTarget::Token(token.record.id), event.clone())?;
        state.insert(token.clone());
        Ok(seq)
    }

    async fn get(&self, id: TokenId) -> Result<Snapshot<Option<StoredToken>>, StoreError> {
        let state = self.lock();
        Ok(Snapshot { value: state.tokens.get(&id).cloned(), as_of: state.as_of() })
    }

    async fn list(&self, query: &ListQuery) -> Result<ListPage, StoreError> {
        let state = self.lock();
        let ids = query.owner.as_ref().map(|owner| state.ids_of(owner));
        let mut matching: Vec<_> = match &ids {
            Some(ids) => ids.iter().filter_map(|id| state.tokens.get(id)).collect(),
            None => state.tokens.values().collect(),
        };
        matching.retain(|token| query.matches_apart_from_status(&token.record));
        let mut counts = StatusCounts::default();
        for token in &matching {
            counts.add(token.record.status(query.now));
        }
        let mut keyed: Vec<_> = matching
            .into_iter()
            .filter(|token| query.matches(&token.record))
            .map(|token| (query.sort.key_of(&token.record), token))
            .collect();
        if let Some(after) = &query.after {
            keyed.retain(|(key, _)| query.sort.compare(key, after).is_gt());
        }
        keyed.sort_unstable_by(|(a, _), (b, _)| query.sort.compare(a, b));
        let limit = query.limit as usize;
        let more = keyed.len() > limit;
        let records =
            keyed.into_iter().take(limit).map(|(_, token)| token.record.clone()).collect();
        Ok(ListPage { records, counts, more, as_of: state.as_of() })
    }

    async fn update(&self, change: &Change, event: &Event) -> Result<ChangeSeq, StoreError> {
        let mut state = self.lock();
        let id = change.record.id;
        state.at(id, Some(change.expected()))?;
        let seq = state.log.append(ChangeTarget::Token(id), event.clone())?;
        let token = state.at(id, None)?;
        let last_used_at = token.record.last_used_at;
        token.record.clone_from(&change.record);
        token.record.last_used_at = last_used_at;
        if let Some(secrets) = &change.secrets {
            token.secrets.clone_from(secrets);
        }
        state.fill_in_previous(id);
        Ok(seq)
    }

    async fn replace_digest(
        &self,
        id: TokenId,
        expected: &Digest,
        secrets: &Secrets,
        event: &Event,
    ) -> Result<ChangeSeq, StoreError> {
        let mut state = self.lock();
        if !state.at(id, None)?.secrets.current.ct_eq(expected) {
            return Err(StoreError::conflict());
        }
        let seq = state.log.append(ChangeTarget::Token(id), event.clone())?;
        state.at(id, None)?.secrets.clone_from(secrets);
        state.fill_in_previous(id);
        Ok(seq)
    }

    async fn delete(
        &self,
        id: TokenId,
        expected: Option<Revision>,
        event: &Event,
    ) -> Result<ChangeSeq, StoreError> {
        let mut state = self.lock();
        state.at(id, expected)?;
        let seq = state.log.append(ChangeTarget::Token(id), event.clone())?;
        state.remove(id);
        Ok(seq)
    }

    async fn delete_many(
        &self,
        owner: Option<&Owner>,
        ids: &[TokenId],
        event: &Event,
    ) -> Result<Deleted, StoreError> {
        let mut state = self.lock();
        let mut deleted = Deleted::default();
        for &id in ids {
            let Some(token) = state.tokens.get(&id) else {
                continue;
            };
            if owner.is_some_and(|owner| *owner != token.record.owner) {
                continue;
            }
            let mut event = event.clone();
            event.token_id = Some(id);
            event.owner = Some(token.record.owner.clone());
            deleted.seq = Some(state.log.append(ChangeTarget::Token(id), event)?);
            deleted.tokens.extend(state.remove(id).map(|token| (id, token.record.owner)));
        }
        Ok(deleted)
    }

    async fn delete_owner(&self, owner: &Owner, event: &Event) -> Result<BulkResult, StoreError> {
        let mut state = self.lock();
        let ids = state.ids_of(owner);
        let result = state.append_bulk(ChangeTarget::Owner(owner.clone()), event, ids.len())?;
        for id in &ids {
            state.remove(*id);
        }
        Ok(result)
    }

    async fn revoke_owner(
        &self,
        owner: &Owner,
        issued_before: Option<Timestamp>,
        at: Timestamp,
        event: &Event,
    ) -> Result<BulkResult, StoreError> {
        let mut state = self.lock();
        let ids = state.ids_of(owner);
        state.revoke(ids, issued_before, at, ChangeTarget::Owner(owner.clone()), event)
    }

    async fn revoke_everyone(
        &self,
        issued_before: Option<Timestamp>,
        at: Timestamp,
        limit: u32,
        event: &Event,
    ) -> Result<BulkResult, StoreError> {
        let mut state = self.lock();
        let mut ids: Vec<_> = state.tokens.keys().copied().collect();
        ids.retain(|id| state.is_revocable(*id, issued_before));
        ids.truncate(limit as usize);
        state.revoke(ids, issued_before, at, ChangeTarget::All, event)
    }

    async fn log_owner_change(
        &self,
        owner: &Owner,
        event: &Event,
    ) -> Result<ChangeSeq, StoreError> {
        self.lock().log.append(ChangeTarget::Owner(owner.clone()), event.clone())
    }

    async fn record_uses(&self, uses: &[TokenUse]) -> Result<u64, StoreError> {
        let mut state = self.lock();
        let mut updated = 0;
        for usage in uses {
            let Ok(token) = state.at(usage.id, Some(usage.revision)) else {
                continue;
            };
            if token.record.last_used_at.is_none_or(|last| last < usage.at) {
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
        let mut state = self.lock();
        let has_ended = |token: &StoredToken| {
            let before = |end: Option<Timestamp>| end.is_some_and(|end| end < ended_before);
            before(token.record.revoked_at) || before(token.record.expires_at)
        };
        let ended = state.tokens.values().filter(|token| has_ended(token));
        let ids: Vec<_> = ended.map(|token| token.record.id).take(limit as usize).collect();
        let result = state.append_bulk(ChangeTarget::None, event, ids.len())?;
        for id in &ids {
            state.remove(*id);
        }
        Ok(result.count)
    }

    async fn prune_log(&self, written_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        Ok(self.lock().log.prune(written_before, limit))
    }

    async fn changes(
        &self,
        from: Option<LogPosition>,
        limit: u32,
    ) -> Result<ChangeBatch, StoreError> {
        Ok(self.lock().log.read(from, limit))
    }

    async fn audit(&self, query: &AuditQuery) -> Result<AuditPage, StoreError> {
        Ok(self.lock().log.audit(query))
    }

    async fn wait_for_change(&self, seen: LogPosition) {
        let mut head = self.lock().log.watch();
        // This fails only if the store was dropped, but it is borrowed here.
        let _ = head.wait_for(|head| *head != seen).await;
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn close(&self) {}
}
