//! The parts of the cache together: look-ups, loads, and what a change invalidates.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use hallpass_core::__private::{CachedToken, Interner};
use hallpass_core::TokenId;
use hallpass_core::store::{
    ChangeSeq, ChangeTarget, LogPosition, Snapshot, StoreError, StoredToken, TokenStore,
};
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use crate::change_feed;
use crate::dual_instant::{DualInstant, Lease};
use crate::entry::{Entry, Reading};
use crate::freshness::FreshnessCheck;
use crate::invalidation::Invalidation;
use crate::keyed_lock::KeyedLock;
use crate::log_limit::LogLimit;
use crate::metrics::{Loaded, LookupKind, Metrics};
use crate::negative::Negative;
use crate::owner_statuses::OwnerStatuses;
use crate::positive::Positive;
use crate::settings::CacheSettings;
use crate::single_flight::{Join, Leader, LoadResult, SingleFlight, result};
use crate::store_clock::StoreClock;

#[derive(Debug)]
pub(crate) struct Inner<S> {
    pub(crate) store: S,
    pub(crate) settings: CacheSettings,
    pub(crate) invalidation: Arc<Invalidation>,
    pub(crate) lease: Lease,
    pub(crate) owner_statuses: Arc<OwnerStatuses>,
    pub(crate) store_clock: StoreClock,
    pub(crate) metrics: Metrics,
    /// Becomes true once.
    pub(crate) closing: watch::Sender<bool>,
    /// How far the change log was applied; `None` before it was read for the first time.
    pub(crate) position: watch::Sender<Option<LogPosition>>,
    /// The highest number that this node has seen outside of the log, for the follower to compare
    /// with the head of the log.
    pub(crate) highest_seq: AtomicU64,
    pub(crate) wake_follower: Notify,
    pub(crate) is_following: AtomicBool,
    pub(crate) was_followed: AtomicBool,
    stale_uses: LogLimit,
    positive: Positive,
    negative: Negative,
    interner: Interner,
    flights: Arc<SingleFlight<TokenId, Option<Entry>>>,
    reload_lock: KeyedLock,
}

/// How often a load is repeated when changes keep overtaking it.
const ATTEMPTS: usize = 3;

impl<S: TokenStore> Inner<S> {
    pub(crate) fn new(store: S, settings: CacheSettings) -> Self {
        Self {
            invalidation: Arc::new(Invalidation::new()),
            lease: Lease::new(),
            owner_statuses: Arc::new(OwnerStatuses::new(&settings)),
            store_clock: StoreClock::default(),
            metrics: Metrics::default(),
            closing: watch::Sender::new(false),
            position: watch::Sender::new(None),
            highest_seq: AtomicU64::new(0),
            wake_follower: Notify::new(),
            is_following: AtomicBool::new(false),
            was_followed: AtomicBool::new(false),
            stale_uses: LogLimit::default(),
            positive: Positive::new(settings.capacity_bytes),
            negative: Negative::new(settings.negative_capacity),
            interner: Interner::new(),
            flights: Arc::new(SingleFlight::new(&settings)),
            reload_lock: KeyedLock::new(),
            store,
            settings,
        }
    }

    /// Returns the cached token if it may be used. The order matters: lease, then entry, then
    /// stripes.
    pub(crate) fn usable(&self, id: TokenId) -> Option<Entry> {
        let check = self.freshness_check();
        self.positive.get(id, |token| check.allows(token))
    }

    /// Returns whether the token was seen here before, usable or not.
    pub(crate) fn remembers(&self, id: TokenId) -> bool {
        self.positive.remembers(id)
    }

    pub(crate) fn is_known_absent(&self, id: TokenId) -> bool {
        self.negative.holds(id, &self.invalidation, self.freshness_check())
    }

    fn freshness_check(&self) -> FreshnessCheck<'_> {
        FreshnessCheck::new(&self.lease, &self.invalidation, &self.settings)
    }

    /// Returns a stale token if the host allows that while the store cannot be reached.
    ///
    /// # Errors
    ///
    /// Returns the given error if `stale_if_error` is not set or is over, or if the token is known
    /// to have been changed.
    pub(crate) fn serve_stale(
        &self,
        id: TokenId,
        error: StoreError,
    ) -> Result<Option<Arc<CachedToken>>, StoreError> {
        let extra = self.settings.stale_if_error;
        // A record that cannot be read is an answer, too.
        if extra.is_zero() || error.is_corrupt() || self.is_open().is_err() {
            return Err(error);
        }
        let check = self.freshness_check().extended(extra);
        let Some(entry) = self.positive.get(id, |token| check.allows(token)) else {
            return Err(error);
        };
        self.metrics.looked_up(LookupKind::StaleIfError);
        if let Some(uses) = self.stale_uses.count() {
            tracing::error!(
                target: "hallpass",
                error = &error as &dyn std::error::Error,
                uses,
                "tokens are used beyond max_staleness by stale_if_error: revocations made elsewhere are not seen"
            );
        }
        Ok(Some(entry.into_token()))
    }

    /// Ends the follower, and voids everything that is cached or will be.
    pub(crate) fn close(&self) {
        self.closing.send_replace(true);
        self.void();
    }

    /// Returns whether tokens may still be looked up.
    ///
    /// # Errors
    ///
    /// Returns [`unavailable`](StoreError::unavailable) if the cache was closed.
    pub(crate) fn is_open(&self) -> Result<(), StoreError> {
        if *self.closing.borrow() {
            return Err(StoreError::unavailable("the cache was closed"));
        }
        Ok(())
    }

    /// Makes everything unusable: there is no lease, and no record reaches the minimum number.
    pub(crate) fn void(&self) {
        self.lease.drop_lease();
        self.invalidation.raise_min_seq(ChangeSeq::new(u64::MAX));
    }

    /// Applies a change that this node has made or seen.
    pub(crate) fn apply(&self, target: &ChangeTarget, seq: ChangeSeq) {
        self.highest_seq.fetch_max(seq.get(), Ordering::AcqRel);
        self.invalidation.apply(target, seq);
    }

    /// Invalidates what is cached about `targets` up to the head of the log. A call found nothing
    /// left to change, so another node may have changed it, and this node may not have read that
    /// yet.
    pub(crate) async fn refresh(&self, targets: &[ChangeTarget]) -> Result<(), StoreError> {
        let head = self.store.changes(None, 0).await?.head.seq;
        targets.iter().for_each(|target| self.apply(target, head));
        Ok(())
    }

    /// Waits until the follower has applied `seq`. If it does not in time, everything that was read
    /// before `seq` is void, which is as good and costs reloads.
    pub(crate) async fn catch_up(&self, seq: ChangeSeq) {
        let mut position = self.position.subscribe();
        let is_applied =
            |position: &Option<LogPosition>| position.is_some_and(|position| position.seq >= seq);
        if is_applied(&position.borrow()) {
            return;
        }
        if self.is_following.load(Ordering::Acquire) {
            self.wake_follower.notify_one();
            let applied = timeout(self.settings.load_deadline, position.wait_for(is_applied)).await;
            if matches!(applied, Ok(Ok(_))) {
                return;
            }
        }
        self.apply(&ChangeTarget::All, seq);
    }

    pub(crate) async fn load(
        self: &Arc<Self>,
        id: TokenId,
    ) -> Result<Option<Arc<CachedToken>>, StoreError> {
        for _ in 0..ATTEMPTS {
            let receiver = match self.flights.join(&id, || self.remembers(id)) {
                Join::Wait(receiver) => receiver,
                // A load may have completed since the caches were looked at: now they know.
                Join::Lead(leader, _) if self.is_known_absent(id) => {
                    leader.complete(Ok(None));
                    return Ok(None);
                }
                Join::Lead(leader, receiver) => {
                    if let Some(entry) = self.usable(id) {
                        leader.complete(Ok(Some(entry.clone())));
                        return Ok(Some(entry.into_token()));
                    }
                    // A task of its own: a client that goes away cancels nobody else.
                    tokio::spawn(Arc::clone(self).run_load(id, leader));
                    receiver
                }
                Join::Full => {
                    self.metrics.refused();
                    return Err(StoreError::unavailable(
                        "too many tokens are being loaded at once",
                    ));
                }
            };
            // Changes may have been applied while the load ran: what it read is checked like any entry.
            match result(receiver).await? {
                None => return Ok(None),
                Some(entry) if self.freshness_check().allows(entry.token()) => {
                    return Ok(Some(entry.into_token()));
                }
                Some(_) => {}
            }
        }
        // Either the token changes all the time, or its numbers belong to another history of the store.
        self.wake_follower.notify_one();
        Err(StoreError::unavailable("the token kept changing while it was loaded"))
    }

    /// Returns the token as the store has it after this call began.
    pub(crate) async fn reload(&self, id: TokenId) -> Result<Option<Arc<CachedToken>>, StoreError> {
        let called = DualInstant::now();
        // One at a time asks. Those who waited meanwhile find what was read after they came.
        let _lock = self.reload_lock.of(id).lock().await;
        if let Some(entry) = self.usable(id)
            && !entry.reading().started.is_before(called)
        {
            return Ok(Some(entry.into_token()));
        }
        let (found, reading) = self.read(id).await?;
        Ok(self.keep(id, found.value, reading).map(Entry::into_token))
    }

    /// Reads the store itself, and voids what was read before: what this node has shown to
    /// somebody, it does not take back.
    pub(crate) async fn read(
        &self,
        id: TokenId,
    ) -> Result<(Snapshot<Option<StoredToken>>, Reading), StoreError> {
        let (epoch, started) = (self.invalidation.epoch(), DualInstant::now());
        let loading = self.metrics.load_begins();
        let found = self.store.get(id).await;
        loading.ended(Loaded::of(&found));
        let found = found?;
        if self.invalidation.epoch() == epoch {
            self.apply(&ChangeTarget::Token(id), found.as_of);
        }
        let reading = Reading { as_of: found.as_of, epoch, started };
        Ok((found, reading))
    }

    /// Caches what was read. Whether it is usable is decided at each use, so it is never too late.
    pub(crate) fn keep(
        &self,
        id: TokenId,
        read: Option<StoredToken>,
        reading: Reading,
    ) -> Option<Entry> {
        let Some(stored) = read else {
            self.negative.put(id, reading);
            return None;
        };
        let entry = Entry::new(stored, &self.interner, reading, &self.invalidation);
        // The check refuses another token's record, and the cache does not keep it.
        if entry.id() == id {
            self.positive.put(&entry);
        }
        Some(entry)
    }

    async fn run_load(self: Arc<Self>, id: TokenId, leader: Leader<TokenId, Option<Entry>>) {
        let result = self.load_once(id, &leader).await;
        leader.complete(result);
    }

    async fn load_once(
        &self,
        id: TokenId,
        leader: &Leader<TokenId, Option<Entry>>,
    ) -> LoadResult<Option<Entry>> {
        let (started, _permit) = leader.begin().await.inspect_err(|_| self.metrics.refused())?;
        // Before the store is asked, as `started`: see the module `invalidation`.
        let epoch = self.invalidation.epoch();
        let loading = self.metrics.load_begins();
        let found = timeout(self.settings.load_timeout(), self.store.get(id)).await;
        loading.ended(found.as_ref().map_or(Loaded::Late, Loaded::of));
        let Snapshot { value, as_of } = found.map_err(StoreError::unavailable)??;
        Ok(self.keep(id, value, Reading { as_of, epoch, started }))
    }

    pub(crate) fn ensure_following(self: &Arc<Self>) {
        change_feed::ensure_running(self);
    }
}
