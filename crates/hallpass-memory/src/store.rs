use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hallpass_core::store::{
    BulkResult, Change, ChangeBatch, ChangeSeq, ChangeTarget, Deleted, ListPage, ListQuery,
    LogPosition, Secrets, Snapshot, StoreError, StoredToken, TokenStore, TokenUse,
};
use hallpass_core::{Digest, Owner, Revision, TokenId};
use jiff::Timestamp;

use crate::state::State;

/// Tokens in memory. Clones share them; they are gone with the last clone.
#[derive(Clone, Debug)]
pub struct MemoryStore(Arc<Mutex<State>>);

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(State::new())))
    }

    /// Every method checks first and changes then, so a panic between leaves nothing half done.
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
    ) -> Result<ChangeSeq, StoreError> {
        let mut state = self.lock();
        if state.tokens.contains_key(&token.record.id) {
            return Err(StoreError::duplicate());
        }
        let in_use = state.count(&token.record.owner) as u64;
        if limit.is_some_and(|limit| in_use >= u64::from(limit)) {
            return Err(StoreError::limit_reached(in_use));
        }
        let seq = state.log.append(ChangeTarget::Token(token.record.id))?;
        state.insert(token.clone());
        Ok(seq)
    }

    async fn find(&self, id: TokenId) -> Result<Snapshot<Option<StoredToken>>, StoreError> {
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
        matching.retain(|token| query.matches(&token.record));
        let total = matching.len() as u64;
        let mut keyed: Vec<_> =
            matching.into_iter().map(|token| (query.sort.key_of(&token.record), token)).collect();
        if let Some(after) = &query.after {
            keyed.retain(|(key, _)| query.sort.compare(key, after).is_gt());
        }
        keyed.sort_unstable_by(|(a, _), (b, _)| query.sort.compare(a, b));
        let limit = query.limit as usize;
        let more = keyed.len() > limit;
        let records =
            keyed.into_iter().take(limit).map(|(_, token)| token.record.clone()).collect();
        Ok(ListPage { records, total, more })
    }

    async fn change(&self, change: &Change) -> Result<ChangeSeq, StoreError> {
        let mut state = self.lock();
        state.at(change.record.id, Some(change.expected()))?;
        let seq = state.log.append(ChangeTarget::Token(change.record.id))?;
        let token = state.at(change.record.id, None)?;
        let last_used_at = token.record.last_used_at;
        token.record.clone_from(&change.record);
        token.record.last_used_at = last_used_at;
        if let Some(secrets) = &change.secrets {
            token.secrets.clone_from(secrets);
        }
        Ok(seq)
    }

    async fn rekey(
        &self,
        id: TokenId,
        expected: &Digest,
        secrets: &Secrets,
    ) -> Result<ChangeSeq, StoreError> {
        let mut state = self.lock();
        if !state.at(id, None)?.secrets.current.ct_eq(expected) {
            return Err(StoreError::conflict());
        }
        let seq = state.log.append(ChangeTarget::Token(id))?;
        state.at(id, None)?.secrets.clone_from(secrets);
        Ok(seq)
    }

    async fn delete(
        &self,
        id: TokenId,
        expected: Option<Revision>,
    ) -> Result<ChangeSeq, StoreError> {
        let mut state = self.lock();
        state.at(id, expected)?;
        let seq = state.log.append(ChangeTarget::Token(id))?;
        state.remove(id);
        Ok(seq)
    }

    async fn delete_many(
        &self,
        owner: Option<&Owner>,
        ids: &[TokenId],
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
            deleted.seq = Some(state.log.append(ChangeTarget::Token(id))?);
            deleted.tokens.extend(state.remove(id).map(|token| (id, token.record.owner)));
        }
        Ok(deleted)
    }

    async fn delete_owner(&self, owner: &Owner) -> Result<BulkResult, StoreError> {
        let mut state = self.lock();
        let ids = state.ids_of(owner);
        if ids.is_empty() {
            return Ok(BulkResult::default());
        }
        let seq = state.log.append(ChangeTarget::Owner(owner.clone()))?;
        for id in &ids {
            state.remove(*id);
        }
        Ok(BulkResult { count: ids.len() as u64, seq: Some(seq) })
    }

    async fn revoke_owner(&self, owner: &Owner, at: Timestamp) -> Result<BulkResult, StoreError> {
        let mut state = self.lock();
        let mut ids = state.ids_of(owner);
        ids.retain(|id| {
            state.tokens.get(id).is_some_and(|token| token.record.revoked_at.is_none())
        });
        if ids.is_empty() {
            return Ok(BulkResult::default());
        }
        let seq = state.log.append(ChangeTarget::Owner(owner.clone()))?;
        for id in &ids {
            let record = &mut state.at(*id, None)?.record;
            record.revoked_at = Some(at);
            record.revision = record.revision.next();
        }
        Ok(BulkResult { count: ids.len() as u64, seq: Some(seq) })
    }

    async fn announce(&self, owner: &Owner) -> Result<ChangeSeq, StoreError> {
        self.lock().log.append(ChangeTarget::Owner(owner.clone()))
    }

    async fn touch(&self, uses: &[TokenUse]) -> Result<u64, StoreError> {
        let mut state = self.lock();
        let mut moved = 0;
        for usage in uses {
            let Ok(token) = state.at(usage.id, Some(usage.revision)) else {
                continue;
            };
            if token.record.last_used_at.is_none_or(|last| last < usage.at) {
                token.record.last_used_at = Some(usage.at);
                moved += 1;
            }
        }
        Ok(moved)
    }

    async fn prune(&self, ended_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut state = self.lock();
        let long_over = |token: &StoredToken| {
            let before = |end: Option<Timestamp>| end.is_some_and(|end| end < ended_before);
            before(token.record.revoked_at) || before(token.record.expires_at)
        };
        let ids: Vec<_> = state
            .tokens
            .values()
            .filter(|token| long_over(token))
            .map(|token| token.record.id)
            .take(limit as usize)
            .collect();
        for id in &ids {
            state.remove(*id);
        }
        Ok(ids.len() as u64)
    }

    async fn changes(
        &self,
        from: Option<LogPosition>,
        limit: u32,
    ) -> Result<ChangeBatch, StoreError> {
        Ok(self.lock().log.read(from, limit))
    }

    async fn nudged(&self, seen: LogPosition) {
        let mut head = self.lock().log.watch();
        // An error would say that the store is gone, and it is borrowed here.
        let _ = head.wait_for(|head| *head != seen).await;
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
