use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex as StdMutex};

use hallpass_core::store::{
    BulkResult, ChangeEntry, ChangeSeq, ChangeTarget, ListQuery, LogPosition, Snapshot, StoreError,
    StoredToken, TokenStore as _, fresh_nonce,
};
use hallpass_core::{Owner, TokenId};
use hallpass_memory::MemoryStore;
use jiff::Timestamp;
use tokio::sync::{Mutex, MutexGuard};
use tokio::task::yield_now;

use super::flaw::Flaw;
use crate::conformance::StoreUnderTest;

/// A store with one flaw: tokens kept by another store, and a log of its own.
#[derive(Clone)]
pub(crate) struct Flawed {
    pub(super) flaw: Flaw,
    pub(super) all: Arc<Shared>,
    /// What this handle has found.
    pub(super) found: Arc<StdMutex<HashMap<TokenId, Snapshot<Option<StoredToken>>>>>,
}

#[derive(Default)]
pub(super) struct Shared {
    data: MemoryStore,
    log: Mutex<Vec<ChangeEntry>>,
    /// The last number that was taken.
    numbers: AtomicU64,
    /// Every token that there was.
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

pub(super) type Log<'s> = MutexGuard<'s, Vec<ChangeEntry>>;

impl Flawed {
    pub(crate) fn with(flaw: Flaw) -> Self {
        Self { flaw, all: Arc::default(), found: Arc::default() }
    }

    pub(super) fn data(&self) -> &MemoryStore {
        &self.all.data
    }

    /// Whether it has this flaw; if so, others are let go first.
    pub(super) async fn has(&self, flaw: Flaw) -> bool {
        if self.flaw == flaw {
            yield_now().await;
        }
        self.flaw == flaw
    }

    /// The whole store, to be changed or read at one instant.
    pub(super) async fn lock(&self) -> Result<Log<'_>, StoreError> {
        if self.all.left_locked.load(Ordering::SeqCst) {
            return Err(StoreError::unavailable("locked for good"));
        }
        Ok(self.all.log.lock().await)
    }

    pub(super) fn head(log: &[ChangeEntry]) -> LogPosition {
        log.last().map_or(LogPosition { seq: ChangeSeq::ZERO, nonce: 0 }, |line| line.at)
    }

    fn number(&self) -> ChangeSeq {
        ChangeSeq::new(self.all.numbers.fetch_add(1, Ordering::SeqCst) + 1)
    }

    fn write(
        &self,
        log: &mut Log<'_>,
        seq: ChangeSeq,
        scope: ChangeTarget,
    ) -> Result<ChangeSeq, StoreError> {
        let random = fresh_nonce().map_err(StoreError::unavailable)?;
        let nonce = if self.flaw == Flaw::NonceIsAlwaysTheSame { 7 } else { random };
        let place = log.partition_point(|line| line.at.seq < seq);
        log.insert(place, ChangeEntry { at: LogPosition { seq, nonce }, scope });
        Ok(seq)
    }

    /// A step of a change.
    pub(super) fn log_under(
        &self,
        log: &mut Log<'_>,
        scope: ChangeTarget,
    ) -> Result<ChangeSeq, StoreError> {
        self.write(log, self.number(), scope)
    }

    /// The last step of a change.
    pub(super) async fn log<'s>(
        &'s self,
        mut log: Log<'s>,
        scope: ChangeTarget,
    ) -> Result<ChangeSeq, StoreError> {
        let seq = self.number();
        if self.flaw == Flaw::NumberBeforeCommit {
            drop(log);
            for _ in 0..seq.get() % 7 {
                yield_now().await;
            }
            log = self.lock().await?;
        }
        self.write(&mut log, seq, scope)
    }

    /// Logs a change to several tokens of an owner.
    pub(super) async fn log_owner(
        &self,
        log: Log<'_>,
        owner: &Owner,
        ids: &[TokenId],
    ) -> Result<BulkResult, StoreError> {
        let mut bulk = BulkResult { count: ids.len() as u64, seq: None };
        if self.flaw == Flaw::OwnersAreLoggedByToken {
            let mut log = log;
            for id in ids {
                bulk.seq = Some(self.log_under(&mut log, ChangeTarget::Token(*id))?);
            }
        } else if bulk.count > 0 {
            bulk.seq = Some(self.log(log, ChangeTarget::Owner(owner.clone())).await?);
        }
        Ok(bulk)
    }

    /// Puts a token in the place of what is there.
    pub(super) async fn put(&self, token: &StoredToken) -> Result<(), StoreError> {
        let _ = self.data().delete(token.record.id, None).await;
        self.data().insert(token, None).await.map(drop)
    }

    pub(super) async fn get(&self, id: TokenId) -> Option<StoredToken> {
        self.data().find(id).await.ok()?.value
    }

    pub(super) async fn ids_of(
        &self,
        owner: &Owner,
        only_unrevoked: bool,
    ) -> Result<Vec<TokenId>, StoreError> {
        let hers = ListQuery {
            owner: Some(owner.clone()),
            ..ListQuery::everything(Timestamp::UNIX_EPOCH, u32::MAX)
        };
        let records = self.data().list(&hers).await?.records;
        let wanted = records.into_iter().filter(|r| !only_unrevoked || r.revoked_at.is_none());
        Ok(wanted.map(|record| record.id).collect())
    }

    /// Prunes what had ended a moment ago, whatever has become of it.
    pub(super) async fn prune_later(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let all = ListQuery::everything(Timestamp::UNIX_EPOCH, u32::MAX);
        let mut records = self.data().list(&all).await?.records;
        records.retain(|record| {
            [record.expires_at, record.revoked_at].into_iter().flatten().any(|at| at < before)
        });
        yield_now().await;
        let ids: Vec<_> = records.iter().take(limit as usize).map(|record| record.id).collect();
        Ok(self.data().delete_many(None, &ids).await?.tokens.len() as u64)
    }

    /// The token as a store with this flaw keeps it.
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
