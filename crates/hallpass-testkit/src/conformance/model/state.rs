//! The reference model: a store in its simplest form.

use std::collections::BTreeMap;

use hallpass_core::store::{
    BulkResult, Change, ChangeEntry, ChangeSeq, ChangeTarget, Deleted, Secrets, StoreError,
    StoredToken, TokenUse,
};
use hallpass_core::{Digest, Event, Owner, Revision, TokenId};
use jiff::Timestamp;

use crate::conformance::cases::check::as_stored;
use crate::conformance::samples::{about, at, owner};

/// The number of owners.
pub(crate) const OWNERS: usize = 3;

/// The maximum number of tokens.
pub(crate) const TOKENS: usize = 6;

/// Returns the owner with that number.
pub(crate) fn owner_of(number: usize) -> Owner {
    match number % OWNERS {
        0 => owner("alice"),
        1 => owner("Alice"),
        _ => owner(&"\u{1F600}".repeat(Owner::MAX_LEN)),
    }
}

/// The reason why a store rejects a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rejection {
    NotFound,
    Conflict,
    Duplicate,
    Limit(u64),
}

impl Rejection {
    /// Returns the reason of an error.
    pub(crate) fn of(error: &StoreError) -> Self {
        match error.limit_in_use() {
            Some(in_use) => Self::Limit(in_use),
            None if error.is_not_found() => Self::NotFound,
            None if error.is_conflict() => Self::Conflict,
            None if error.is_duplicate() => Self::Duplicate,
            None => panic!("an unexpected error: {error:?}"),
        }
    }
}

/// The tokens and the log.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) ids: Vec<TokenId>,
    pub(crate) tokens: BTreeMap<TokenId, StoredToken>,
    /// All entries that were ever logged. The first one has number 1.
    pub(crate) log: Vec<(ChangeTarget, Event)>,
    /// The number of the oldest log entries that were pruned.
    pub(crate) pruned: usize,
    /// The entries that are kept, as they were last read, with their nonces.
    pub(crate) entries: Vec<ChangeEntry>,
}

impl Model {
    pub(crate) fn new() -> Self {
        let ids = (0..TOKENS).map(|number| TokenId::generate(&owner_of(number), at(0)));
        let ids = ids.collect::<Result<_, _>>().expect("randomness");
        Self { ids, tokens: BTreeMap::new(), log: Vec::new(), pruned: 0, entries: Vec::new() }
    }

    /// Returns the number of the newest log entry.
    pub(crate) fn clock(&self) -> ChangeSeq {
        ChangeSeq::new(self.log.len() as u64)
    }

    pub(crate) fn append(&mut self, target: ChangeTarget, event: &Event) -> ChangeSeq {
        let event = about(&target, event);
        self.log.push((target, event));
        self.clock()
    }

    pub(crate) fn ids_of(&self, owner: &Owner) -> Vec<TokenId> {
        let tokens = self.tokens.values().filter(|token| token.record.owner == *owner);
        tokens.map(|token| token.record.id).collect()
    }

    /// Inserts a token. Otherwise returns every reason for which a store may reject it.
    pub(crate) fn insert(
        &mut self,
        token: &StoredToken,
        limit: Option<u32>,
        event: &Event,
    ) -> Result<ChangeSeq, Vec<Rejection>> {
        let mut reasons = Vec::new();
        if self.tokens.contains_key(&token.record.id) {
            reasons.push(Rejection::Duplicate);
        }
        let in_use = self.ids_of(&token.record.owner).len() as u64;
        if limit.is_some_and(|limit| in_use >= u64::from(limit)) {
            reasons.push(Rejection::Limit(in_use));
        }
        if !reasons.is_empty() {
            return Err(reasons);
        }
        self.tokens.insert(token.record.id, filled_in(token.clone()));
        Ok(self.append(ChangeTarget::Token(token.record.id), event))
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

    pub(crate) fn update(
        &mut self,
        change: &Change,
        event: &Event,
    ) -> Result<ChangeSeq, Rejection> {
        let token = self.at(change.record.id, Some(change.expected()))?;
        let last_used_at = token.record.last_used_at;
        token.record = change.record.clone();
        token.record.last_used_at = last_used_at;
        if let Some(secrets) = &change.secrets {
            token.secrets = secrets.clone();
        }
        *token = filled_in(token.clone());
        Ok(self.append(ChangeTarget::Token(change.record.id), event))
    }

    pub(crate) fn replace_digest(
        &mut self,
        id: TokenId,
        expected: &Digest,
        secrets: &Secrets,
        event: &Event,
    ) -> Result<ChangeSeq, Rejection> {
        let token = self.at(id, None)?;
        if !token.secrets.current.ct_eq(expected) {
            return Err(Rejection::Conflict);
        }
        token.secrets = secrets.clone();
        *token = filled_in(token.clone());
        Ok(self.append(ChangeTarget::Token(id), event))
    }

    pub(crate) fn delete(
        &mut self,
        id: TokenId,
        expected: Option<Revision>,
        event: &Event,
    ) -> Result<ChangeSeq, Rejection> {
        self.at(id, expected)?;
        self.tokens.remove(&id);
        Ok(self.append(ChangeTarget::Token(id), event))
    }

    pub(crate) fn delete_many(
        &mut self,
        owner: Option<&Owner>,
        ids: &[TokenId],
        event: &Event,
    ) -> Deleted {
        let mut deleted = Deleted::default();
        for id in ids {
            let known = self.tokens.get(id).map(|token| token.record.owner.clone());
            if let Some(known) = known.filter(|known| owner.is_none_or(|owner| owner == known)) {
                self.tokens.remove(id);
                let mut event = event.clone();
                (event.token_id, event.owner) = (Some(*id), Some(known.clone()));
                deleted.tokens.push((*id, known));
                deleted.seq = Some(self.append(ChangeTarget::Token(*id), &event));
            }
        }
        deleted
    }

    pub(crate) fn delete_owner(&mut self, owner: &Owner, event: &Event) -> BulkResult {
        let ids = self.ids_of(owner);
        self.tokens.retain(|id, _| !ids.contains(id));
        self.append_bulk(ChangeTarget::Owner(owner.clone()), event, ids.len())
    }

    /// Returns the tokens that a bulk revocation may revoke.
    pub(crate) fn revocable(
        &self,
        owner: Option<&Owner>,
        issued_before: Option<Timestamp>,
    ) -> Vec<TokenId> {
        let records = self.tokens.values().map(|token| &token.record);
        records
            .filter(|record| owner.is_none_or(|owner| record.owner == *owner))
            .filter(|record| record.revoked_at.is_none())
            .filter(|record| issued_before.is_none_or(|time| record.secret_issued_at() < time))
            .map(|record| record.id)
            .collect()
    }

    pub(crate) fn revoke(
        &mut self,
        ids: &[TokenId],
        at: Timestamp,
        target: ChangeTarget,
        event: &Event,
    ) -> BulkResult {
        for id in ids {
            let record = &mut self.tokens.get_mut(id).expect("the token").record;
            (record.revoked_at, record.revision) = (Some(at), record.revision.next());
        }
        self.append_bulk(target, event, ids.len())
    }

    /// Writes one entry for a change to several tokens, or none if there are none.
    pub(crate) fn append_bulk(
        &mut self,
        target: ChangeTarget,
        event: &Event,
        count: usize,
    ) -> BulkResult {
        let mut event = event.clone();
        event.count = count as u64;
        let seq = (count > 0).then(|| self.append(target, &event));
        BulkResult { count: count as u64, seq }
    }

    pub(crate) fn record_uses(&mut self, uses: &[TokenUse]) -> u64 {
        let mut updated = 0;
        for usage in uses {
            let Ok(token) = self.at(usage.id, Some(usage.revision)) else { continue };
            if token.record.last_used_at.is_none_or(|last| last < usage.at) {
                token.record.last_used_at = Some(usage.at);
                updated += 1;
            }
        }
        updated
    }

    /// Returns the tokens that a prune may delete.
    pub(crate) fn ended_before(&self, time: Timestamp) -> Vec<TokenId> {
        let before = |end: Option<Timestamp>| end.is_some_and(|end| end < time);
        let records = self.tokens.values().map(|token| &token.record);
        records
            .filter(|record| before(record.revoked_at) || before(record.expires_at))
            .map(|record| record.id)
            .collect()
    }

    /// Returns the log entries that are kept.
    pub(crate) fn kept(&self) -> &[(ChangeTarget, Event)] {
        &self.log[self.pruned..]
    }

    /// Returns how many entries may be pruned. The times of entries never go back.
    pub(crate) fn prunable(&self, written_before: Timestamp) -> usize {
        let old = self.kept().iter().take_while(|(_, event)| event.at < written_before);
        old.count().min(self.kept().len().saturating_sub(1))
    }
}

/// Returns the token with the end of its previous secret filled in, as a store does it.
fn filled_in(mut token: StoredToken) -> StoredToken {
    token.record = as_stored(&token);
    token
}
