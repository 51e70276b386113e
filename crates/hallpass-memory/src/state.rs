//! The tokens and the log, and the operations on them.

use std::collections::{BTreeSet, HashMap};

use hallpass_core::store::{BulkResult, ChangeSeq, ChangeTarget, StoreError, StoredToken};
use hallpass_core::{Event, Owner, Revision, TokenId};
use jiff::Timestamp;

use crate::log::ChangeLog;

/// The whole state of the store, which one mutex protects.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) log: ChangeLog,
    pub(crate) tokens: HashMap<TokenId, StoredToken>,
    /// The ids of each owner's tokens, so that the cost of counting and listing does not depend on
    /// other owners.
    owned: HashMap<Owner, BTreeSet<TokenId>>,
}

impl State {
    pub(crate) fn new() -> Self {
        Self { log: ChangeLog::new(), tokens: HashMap::new(), owned: HashMap::new() }
    }

    /// Returns the number of an owner's tokens.
    pub(crate) fn count(&self, owner: &Owner) -> usize {
        self.owned.get(owner).map_or(0, BTreeSet::len)
    }

    /// Returns the ids of an owner's tokens.
    pub(crate) fn ids_of(&self, owner: &Owner) -> Vec<TokenId> {
        self.owned.get(owner).into_iter().flatten().copied().collect()
    }

    /// Adds a token.
    pub(crate) fn insert(&mut self, mut token: StoredToken) {
        token.record.previous_secret_expires_at =
            token.secrets.previous.as_ref().map(|previous| previous.until);
        self.owned.entry(token.record.owner.clone()).or_default().insert(token.record.id);
        self.tokens.insert(token.record.id, token);
    }

    /// Removes a token. Returns it if it existed.
    pub(crate) fn remove(&mut self, id: TokenId) -> Option<StoredToken> {
        let token = self.tokens.remove(&id)?;
        if let Some(ids) = self.owned.get_mut(&token.record.owner) {
            ids.remove(&id);
            if ids.is_empty() {
                self.owned.remove(&token.record.owner);
            }
        }
        Some(token)
    }

    /// Returns a token if it is at the expected revision, or no revision is expected.
    pub(crate) fn at(
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

    /// Sets the field `previous_secret_expires_at` of a record.
    pub(crate) fn fill_in_previous(&mut self, id: TokenId) {
        if let Some(token) = self.tokens.get_mut(&id) {
            token.record.previous_secret_expires_at =
                token.secrets.previous.as_ref().map(|previous| previous.until);
        }
    }

    /// Writes one log entry for a change to `count` tokens, or none if the count is 0.
    pub(crate) fn append_bulk(
        &mut self,
        target: ChangeTarget,
        event: &Event,
        count: usize,
    ) -> Result<BulkResult, StoreError> {
        if count == 0 {
            return Ok(BulkResult::default());
        }
        let count = count as u64;
        let mut event = event.clone();
        event.count = count;
        Ok(BulkResult { count, seq: Some(self.log.append(target, event)?) })
    }

    /// Returns whether a token is not revoked yet, and its secret is older than `issued_before`.
    pub(crate) fn is_revocable(&self, id: TokenId, issued_before: Option<Timestamp>) -> bool {
        self.tokens.get(&id).is_some_and(|token| {
            token.record.revoked_at.is_none()
                && issued_before.is_none_or(|limit| token.record.secret_issued_at() < limit)
        })
    }

    /// Revokes the tokens that can be revoked, with one log entry.
    pub(crate) fn revoke(
        &mut self,
        mut ids: Vec<TokenId>,
        issued_before: Option<Timestamp>,
        at: Timestamp,
        target: ChangeTarget,
        event: &Event,
    ) -> Result<BulkResult, StoreError> {
        ids.retain(|id| self.is_revocable(*id, issued_before));
        let result = self.append_bulk(target, event, ids.len())?;
        for id in ids {
            let record = &mut self.at(id, None)?.record;
            record.revoked_at = Some(at);
            record.revision = record.revision.next();
        }
        Ok(result)
    }

    /// Returns the sequence number of the newest log entry.
    pub(crate) fn as_of(&self) -> ChangeSeq {
        self.log.head().seq
    }
}
