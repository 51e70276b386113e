use std::collections::{BTreeSet, HashMap};

use hallpass_core::store::{ChangeSeq, StoreError, StoredToken};
use hallpass_core::{Owner, Revision, TokenId};

use crate::log::ChangeLog;

/// All that the store holds, behind one mutex.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) log: ChangeLog,
    pub(crate) tokens: HashMap<TokenId, StoredToken>,
    /// The ids of each owner's tokens: counting and listing one owner's does not look at the others'.
    owned: HashMap<Owner, BTreeSet<TokenId>>,
}

impl State {
    pub(crate) fn new() -> Self {
        Self { log: ChangeLog::new(), tokens: HashMap::new(), owned: HashMap::new() }
    }

    pub(crate) fn count(&self, owner: &Owner) -> usize {
        self.owned.get(owner).map_or(0, BTreeSet::len)
    }

    pub(crate) fn ids_of(&self, owner: &Owner) -> Vec<TokenId> {
        self.owned.get(owner).into_iter().flatten().copied().collect()
    }

    pub(crate) fn insert(&mut self, token: StoredToken) {
        self.owned.entry(token.record.owner.clone()).or_default().insert(token.record.id);
        self.tokens.insert(token.record.id, token);
    }

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

    /// The token, if it is at that revision or none is expected.
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

    pub(crate) fn as_of(&self) -> ChangeSeq {
        self.log.head().seq
    }
}
