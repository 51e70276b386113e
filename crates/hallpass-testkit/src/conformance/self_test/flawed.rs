//! A store with one flaw, and the parts of its behaviour that flaws change.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex as StdMutex};

use hallpass_core::store::{
    BulkResult, ChangeSeq, ChangeTarget, ListQuery, LogPosition, Snapshot, StoreError, StoredToken,
    TokenStore as _, fresh_nonce,
};
use hallpass_core::{Event, Metadata, Origin, Owner, TokenId, TokenRecord};
use hallpass_memory::MemoryStore;
use jiff::Timestamp;
use tokio::sync::{Mutex, MutexGuard};
use tokio::task::yield_now;

use super::flaw::Flaw;
use crate::conformance::StoreUnderTest;
use crate::conformance::samples::event;

/// A store with one flaw. Another store keeps its tokens, and it has its own log.
#[derive(Clone)]
pub(crate) struct Flawed {
    pub(super) flaw: Flaw,
    pub(super) all: Arc<Shared>,
    /// The records that this handle has read.
    pub(super) found: Arc<StdMutex<HashMap<TokenId, Snapshot<Option<StoredToken>>>>>,
}

/// An entry of the log.
pub(super) struct Line {
    pub(super) position: LogPosition,
    pub(super) target: ChangeTarget,
    pub(super) event: Event,
}

#[derive(Default)]
pub(super) struct Shared {
    data: MemoryStore,
    log: Mutex<Vec<Line>>,
    /// The newest number.
    numbers: AtomicU64,
    /// Every token that was ever inserted.
    pub(super) ever: StdMutex<HashMap<TokenId, StoredToken>>,
    pub(super) left_locked: AtomicBool,
}

impl StoreUnderTest for Flawed {
    type Store = Self;

    async fn fresh() -> Self {
        Self::with(Flaw::None)
    }

    async fn node(&self) -> Self {
        let all =
            if self.flaw == Flaw::ReopeningForgets { Arc::default() } else { self.all.clone() };
        Self { flaw: self.flaw, all, found: Arc::default() }
    }
}

pub(super) type Log<'s> = MutexGuard<'s, Vec<Line>>;

impl Flawed {
    pub(crate) fn with(flaw: Flaw) -> Self {
        Self { flaw, all: Arc::default(), found: Arc::default() }
    }

    pub(super) fn data(&self) -> &MemoryStore {
        &self.all.data
    }

    /// Returns whether the store has this flaw. If so, other tasks run first.
    pub(super) async fn has(&self, flaw: Flaw) -> bool {
        if self.flaw == flaw {
            yield_now().await;
        }
        self.flaw == flaw
    }

    /// Locks the whole store, to read or change it at one instant.
    pub(super) async fn lock(&self) -> Result<Log<'_>, StoreError> {
        if self.all.left_locked.load(Ordering::SeqCst) {
            return Err(StoreError::unavailable("a cancelled call has kept the lock"));
        }
        Ok(self.all.log.lock().await)
    }

    pub(super) fn head(log: &[Line]) -> LogPosition {
        log.last().map_or(LogPosition { seq: ChangeSeq::ZERO, nonce: 0 }, |line| line.position)
    }

    fn number(&self) -> ChangeSeq {
        ChangeSeq::new(self.all.numbers.fetch_add(1, Ordering::SeqCst) + 1)
    }

    fn write(
        &self,
        log: &mut Log<'_>,
        seq: ChangeSeq,
        target: ChangeTarget,
        event: &Event,
    ) -> Result<ChangeSeq, StoreError> {
        let random = fresh_nonce().map_err(StoreError::unavailable)?;
        let nonce = if self.flaw == Flaw::NonceIsAlwaysTheSame { 7 } else { random };
        let index = log.partition_point(|line| line.position.seq < seq);
        let (target, event) = self.kept_entry(target, event);
        log.insert(index, Line { position: LogPosition { seq, nonce }, target, event });
        Ok(seq)
    }

    /// Writes an entry as one step of a change.
    pub(super) fn log_under(
        &self,
        log: &mut Log<'_>,
        target: ChangeTarget,
        event: &Event,
    ) -> Result<ChangeSeq, StoreError> {
        self.write(log, self.number(), target, event)
    }

    /// Writes an entry as the last step of a change.
    pub(super) async fn log<'s>(
        &'s self,
        mut log: Log<'s>,
        target: ChangeTarget,
        event: &Event,
    ) -> Result<ChangeSeq, StoreError> {
        let seq = self.number();
        if self.flaw == Flaw::NumberBeforeCommit {
            drop(log);
            for _ in 0..seq.get() % 7 {
                yield_now().await;
            }
            log = self.lock().await?;
        }
        self.write(&mut log, seq, target, event)
    }

    /// Writes the entry of a change to several tokens.
    pub(super) async fn log_bulk(
        &self,
        log: Log<'_>,
        target: ChangeTarget,
        event: &Event,
        ids: &[TokenId],
    ) -> Result<BulkResult, StoreError> {
        let mut event = event.clone();
        event.count = ids.len() as u64;
        let mut bulk = BulkResult { count: event.count, seq: None };
        if self.flaw == Flaw::OwnersAreLoggedByToken && target != ChangeTarget::None {
            let mut log = log;
            for id in ids {
                bulk.seq = Some(self.log_under(&mut log, ChangeTarget::Token(*id), &event)?);
            }
        } else if bulk.count > 0 {
            bulk.seq = Some(self.log(log, target, &event).await?);
        }
        Ok(bulk)
    }

    /// Revokes tokens one by one.
    pub(super) async fn revoke(&self, ids: &[TokenId], at: Timestamp) -> Result<(), StoreError> {
        for id in ids {
            let Some(mut token) = self.token(*id).await else { continue };
            token.record.revoked_at = Some(at);
            if self.flaw != Flaw::RevokeOwnerKeepsRevisions {
                token.record.revision = token.record.revision.next();
            }
            self.put(&token).await?;
        }
        Ok(())
    }

    /// Replaces a token, or inserts it.
    pub(super) async fn put(&self, token: &StoredToken) -> Result<(), StoreError> {
        let _ = self.data().delete(token.record.id, None, &event()).await;
        self.data().insert(token, None, &event()).await.map(drop)
    }

    pub(super) async fn token(&self, id: TokenId) -> Option<StoredToken> {
        self.data().get(id).await.ok()?.value
    }

    /// Returns the tokens of an owner, or of all owners, that match.
    pub(super) async fn ids_where(
        &self,
        owner: Option<&Owner>,
        matches: impl Fn(&TokenRecord) -> bool,
    ) -> Result<Vec<TokenId>, StoreError> {
        let all = ListQuery {
            owner: owner.cloned(),
            ..ListQuery::everything(Timestamp::UNIX_EPOCH, u32::MAX)
        };
        let records = self.data().list(&all).await?.records;
        Ok(records.into_iter().filter(matches).map(|record| record.id).collect())
    }

    /// Deletes tokens that had ended a moment ago, even if they no longer have.
    pub(super) async fn prune_later(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let mut ids = self.ids_where(None, |record| ended_before(record, before)).await?;
        yield_now().await;
        ids.truncate(limit as usize);
        Ok(self.data().delete_many(None, &ids, &event()).await?.tokens.len() as u64)
    }

    /// Returns an entry as a store with this flaw keeps it.
    fn kept_entry(&self, target: ChangeTarget, event: &Event) -> (ChangeTarget, Event) {
        let (mut target, mut event) = (target, event.clone());
        match self.flaw {
            Flaw::EntriesLoseTheirOrigin => event.origin = Origin::default(),
            Flaw::EntriesHaveCountOne => event.count = 1,
            Flaw::EntriesAreTruncated if event.details_json().len() > 1_000 => {
                event.changes.clear();
            }
            Flaw::EntryTimesAreSeconds => {
                event.at = Timestamp::from_second(event.at.as_second()).unwrap_or(event.at);
            }
            Flaw::TargetIsTheEventsOwner => {
                target = event.owner.clone().map_or(ChangeTarget::None, ChangeTarget::Owner);
            }
            Flaw::RevokeEveryoneNamesNoTarget if target == ChangeTarget::All => {
                target = ChangeTarget::None;
            }
            _ => {}
        }
        (target, event)
    }

    /// Returns a record as a store with this flaw returns it.
    pub(super) fn shown(&self, record: &mut TokenRecord) {
        match self.flaw {
            Flaw::PreviousSecretIsNotFilledIn => record.previous_secret_expires_at = None,
            Flaw::MetadataIsDropped => record.metadata = Metadata::default(),
            _ => {}
        }
    }

    /// Returns the token as a store with this flaw keeps it.
    pub(super) fn kept(&self, token: &StoredToken) -> StoredToken {
        let mut token = token.clone();
        let record = &mut token.record;
        match self.flaw {
            Flaw::TimesAreSeconds => {
                let cut = |time: &mut Timestamp| {
                    *time = Timestamp::from_second(time.as_second()).unwrap_or(*time);
                };
                cut(&mut record.created_at);
                record.expires_at.iter_mut().for_each(cut);
            }
            Flaw::DescriptionsAreShort => {
                record.description = record.description.chars().take(255).collect();
            }
            Flaw::OwnersIgnoreCase => {
                let folded = Owner::new(record.owner.as_str().to_lowercase());
                record.owner = folded.unwrap_or_else(|_| record.owner.clone());
            }
            _ => {}
        }
        token
    }
}

/// Returns whether a token was revoked or expired before a time.
pub(super) fn ended_before(record: &TokenRecord, time: Timestamp) -> bool {
    [record.expires_at, record.revoked_at].into_iter().flatten().any(|end| end < time)
}
