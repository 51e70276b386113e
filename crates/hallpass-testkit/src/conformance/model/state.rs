//! What a store is, as plainly as it can be said.

use std::collections::BTreeMap;

use hallpass_core::store::{
    BulkResult, Change, ChangeEntry, ChangeSeq, ChangeTarget, Deleted, Secrets, StoreError,
    StoredToken, TokenUse,
};
use hallpass_core::{Digest, Owner, Revision, TokenId};
use jiff::Timestamp;

use crate::conformance::samples::{at, owner};

/// How many owners there are.
pub(crate) const OWNERS: usize = 3;

/// How many tokens there can be at once.
pub(crate) const TOKENS: usize = 6;

/// The owner of that number.
pub(crate) fn owner_of(number: usize) -> Owner {
    match number % OWNERS {
        0 => owner("alice"),
        1 => owner("Alice"),
        _ => owner(&"\u{1F600}".repeat(Owner::MAX_LEN)),
    }
}

/// Why a store refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rejection {
    NotFound,
    Conflict,
    Duplicate,
    Limit(u64),
}

impl Rejection {
    /// What the store's error says.
    pub(crate) fn of(error: &StoreError) -> Self {
        match error.limit_in_use() {
            Some(in_use) => Self::Limit(in_use),
            None if error.is_not_found() => Self::NotFound,
            None if error.is_conflict() => Self::Conflict,
            None if error.is_duplicate() => Self::Duplicate,
            None => panic!("trouble of the store's own: {error:?}"),
        }
    }
}

/// The tokens and the log.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) ids: Vec<TokenId>,
    pub(crate) tokens: BTreeMap<TokenId, StoredToken>,
    /// What was logged, from number 1 on.
    pub(crate) log: Vec<ChangeTarget>,
    /// The same as it was read, nonces and all.
    pub(crate) lines: Vec<ChangeEntry>,
}

impl Model {
    pub(crate) fn new() -> Self {
        let ids = (0..TOKENS).map(|number| TokenId::generate(&owner_of(number), at(0)));
        let ids = ids.collect::<Result<_, _>>().expect("randomness");
        Self { ids, tokens: BTreeMap::new(), log: Vec::new(), lines: Vec::new() }
    }

    /// How far the log has come.
    pub(crate) fn clock(&self) -> ChangeSeq {
        ChangeSeq::new(self.log.len() as u64)
    }

    fn logged(&mut self, scope: ChangeTarget) -> ChangeSeq {
        self.log.push(scope);
        self.clock()
    }

    pub(crate) fn ids_of(&self, owner: &Owner) -> Vec<TokenId> {
        let hers = self.tokens.values().filter(|token| token.record.owner == *owner);
        hers.map(|token| token.record.id).collect()
    }

    /// Every reason there is to refuse the insert; if there is none, it is done.
    pub(crate) fn insert(
        &mut self,
        token: &StoredToken,
        limit: Option<u32>,
    ) -> Result<ChangeSeq, Vec<Rejection>> {
        let mut why = Vec::new();
        if self.tokens.contains_key(&token.record.id) {
            why.push(Rejection::Duplicate);
        }
        let in_use = self.ids_of(&token.record.owner).len() as u64;
        if limit.is_some_and(|limit| in_use >= u64::from(limit)) {
            why.push(Rejection::Limit(in_use));
        }
        if !why.is_empty() {
            return Err(why);
        }
        self.tokens.insert(token.record.id, token.clone());
        Ok(self.logged(ChangeTarget::Token(token.record.id)))
    }

    fn at(
        &mut self,
        id: TokenId,
        expected: Option<Revision>,
    ) -> Result<&mut StoredToken, Rejection> {
        let token = self.tokens.get_mut(&id).ok_or(Rejection::NotFound)?;
        if expected.is_none_or(|expected| expected == token.record.revision) {
            Ok(token)
        } else {
            Err(Rejection::Conflict)
        }
    }

    pub(crate) fn change(&mut self, change: &Change) -> Result<ChangeSeq, Rejection> {
        let token = self.at(change.record.id, Some(change.expected()))?;
        let last_used_at = token.record.last_used_at;
        token.record = change.record.clone();
        token.record.last_used_at = last_used_at;
        if let Some(secrets) = &change.secrets {
            token.secrets = secrets.clone();
        }
        Ok(self.logged(ChangeTarget::Token(change.record.id)))
    }

    pub(crate) fn rekey(
        &mut self,
        id: TokenId,
        expected: &Digest,
        secrets: &Secrets,
    ) -> Result<ChangeSeq, Rejection> {
        let token = self.at(id, None)?;
        if !token.secrets.current.ct_eq(expected) {
            return Err(Rejection::Conflict);
        }
        token.secrets = secrets.clone();
        Ok(self.logged(ChangeTarget::Token(id)))
    }

    pub(crate) fn delete(
        &mut self,
        id: TokenId,
        expected: Option<Revision>,
    ) -> Result<ChangeSeq, Rejection> {
        self.at(id, expected)?;
        self.tokens.remove(&id);
        Ok(self.logged(ChangeTarget::Token(id)))
    }

    pub(crate) fn delete_many(&mut self, owner: Option<&Owner>, ids: &[TokenId]) -> Deleted {
        let mut deleted = Deleted::default();
        for id in ids {
            let known = self.tokens.get(id).map(|token| token.record.owner.clone());
            if let Some(known) = known.filter(|known| owner.is_none_or(|owner| owner == known)) {
                self.tokens.remove(id);
                deleted.tokens.push((*id, known));
                deleted.seq = Some(self.logged(ChangeTarget::Token(*id)));
            }
        }
        deleted
    }

    pub(crate) fn delete_owner(&mut self, owner: &Owner) -> BulkResult {
        let ids = self.ids_of(owner);
        self.tokens.retain(|id, _| !ids.contains(id));
        self.bulk(owner, ids.len())
    }

    pub(crate) fn revoke_owner(&mut self, owner: &Owner, at: Timestamp) -> BulkResult {
        let mut count = 0;
        for token in self.tokens.values_mut() {
            let record = &mut token.record;
            if record.owner == *owner && record.revoked_at.is_none() {
                (record.revoked_at, record.revision) = (Some(at), record.revision.next());
                count += 1;
            }
        }
        self.bulk(owner, count)
    }

    fn bulk(&mut self, owner: &Owner, count: usize) -> BulkResult {
        let seq = (count > 0).then(|| self.announce(owner));
        BulkResult { count: count as u64, seq }
    }

    pub(crate) fn announce(&mut self, owner: &Owner) -> ChangeSeq {
        self.logged(ChangeTarget::Owner(owner.clone()))
    }

    pub(crate) fn touch(&mut self, uses: &[TokenUse]) -> u64 {
        let mut moved = 0;
        for usage in uses {
            let Ok(token) = self.at(usage.id, Some(usage.revision)) else { continue };
            if token.record.last_used_at.is_none_or(|last| last < usage.at) {
                token.record.last_used_at = Some(usage.at);
                moved += 1;
            }
        }
        moved
    }

    /// What a prune may take.
    pub(crate) fn ended_before(&self, time: Timestamp) -> Vec<TokenId> {
        let before = |end: Option<Timestamp>| end.is_some_and(|end| end < time);
        let ended = self.tokens.values().map(|token| &token.record);
        ended
            .filter(|record| before(record.revoked_at) || before(record.expires_at))
            .map(|record| record.id)
            .collect()
    }
}
