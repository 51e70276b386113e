//! The cache itself, which combines the other modules: look-ups, loads, and invalidation.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};

use hallpass_core::__private::{CachedToken, Interner, Throttle};
use hallpass_core::TokenId;
use hallpass_core::store::{
    ChangeSeq, ChangeTarget, LogPosition, Snapshot, StoreError, StoredToken, TokenStore,
};
use tokio::sync::{Mutex, Notify, watch};
use tokio::time::timeout;

use crate::dual_instant::{DualInstant, Lease};
use crate::entry::{Entry, Reading};
use crate::freshness::FreshnessCheck;
use crate::invalidation::Invalidation;
use crate::metrics::{LoadResult, LookupResult, Metrics};
use crate::negative::Negative;
use crate::owner_statuses::OwnerStatuses;
use crate::positive::Positive;
use crate::settings::CacheSettings;
use crate::single_flight::{LoadError, SingleFlight};
use crate::store_clock::StoreClock;

/// The state of a cache.
#[derive(Debug)]
pub(crate) struct Inner<S> {
    pub(crate) store: S,
    pub(crate) settings: CacheSettings,
    pub(crate) invalidation: Arc<Invalidation>,
    pub(crate) lease: Lease,
    pub(crate) owner_statuses: Arc<OwnerStatuses>,
    pub(crate) store_clock: StoreClock,
    pub(crate) metrics: Metrics,
    /// Whether the cache was closed or dropped.
    pub(crate) closing: watch::Sender<bool>,
    /// The position up to which the change log was applied, or `None` before it was first read.
    pub(crate) position: watch::Sender<Option<LogPosition>>,
    /// The highest sequence number that this node has seen in changes and records. The follower
    /// compares it with the head of the log: a lower head belongs to another history.
    pub(crate) highest_seq: AtomicU64,
    /// A lock for [`start_over`](Self::start_over), so that resets never overlap.
    resets: std::sync::Mutex<()>,
    pub(crate) wake_follower: Notify,
    pub(crate) is_following: AtomicBool,
    pub(crate) was_followed: AtomicBool,
    stale_uses: Throttle,
    positive: Positive,
    negative: Negative,
    interner: Interner,
    flights: Arc<SingleFlight<TokenId, Result<Loaded, StoreError>>>,
    /// Locks for reads that bypass the cache. A client with a token's public id can cause such
    /// reads by sending wrong secrets, so only one at a time runs for the same token. Two tokens
    /// may share a lock, which only costs time.
    reload_locks: [Mutex<()>; RELOADS],
}

/// A result of a load: an entry, or the reading that shows that the token does not exist.
type Loaded = Result<Entry, Reading>;

/// The maximum number of attempts of a load, if changes keep overtaking it.
const ATTEMPTS: usize = 3;

/// The maximum number of concurrent reads that bypass the cache.
const RELOADS: usize = 32;

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
            resets: std::sync::Mutex::default(),
            wake_follower: Notify::new(),
            is_following: AtomicBool::new(false),
            was_followed: AtomicBool::new(false),
            stale_uses: Throttle::new(),
            positive: Positive::new(settings.capacity_bytes),
            negative: Negative::new(settings.negative_capacity),
            interner: Interner::new(),
            flights: Arc::new(SingleFlight::new(&settings)),
            reload_locks: [const { Mutex::const_new(()) }; RELOADS],
            store,
            settings,
        }
    }

    /// Returns the cached token if it is fresh. The order matters: this reads the lease, then the
    /// entry, then the stripes. See the module `freshness`.
    pub(crate) fn usable(&self, id: TokenId) -> Option<Entry> {
        let check = self.freshness_check();
        self.positive.get(id, |token| check.allows(token))
    }

    /// Returns whether the token is cached, fresh or not.
    pub(crate) fn contains(&self, id: TokenId) -> bool {
        self.positive.contains(id)
    }

    /// Returns the reading of a fresh entry which shows that the token does not exist.
    pub(crate) fn absence(&self, id: TokenId) -> Option<Reading> {
        self.negative.get(id, &self.invalidation, self.freshness_check())
    }

    fn freshness_check(&self) -> FreshnessCheck<'_> {
        FreshnessCheck::new(&self.lease, &self.invalidation, &self.settings)
    }

    /// Returns a stale token if `stale_if_error` allows it while the store cannot be reached.
    ///
    /// # Errors
    ///
    /// Returns the given error if `stale_if_error` is not set, if the record is too old even for
    /// that setting, or if this node has seen a change of the token.
    pub(crate) fn serve_stale(
        &self,
        id: TokenId,
        error: StoreError,
    ) -> Result<Option<Arc<CachedToken>>, StoreError> {
        let extra = self.settings.stale_if_error;
        // If the record cannot be read, the store was reached, so an older record must not replace
        // it.
        if extra.is_zero() || error.is_corrupt() || self.check_open().is_err() {
            return Err(error);
        }
        let check = self.freshness_check().extended(extra);
        let Some(entry) = self.positive.get(id, |token| check.allows(token)) else {
            return Err(error);
        };
        self.metrics.count_lookup(LookupResult::StaleIfError);
        if let Some(uses) = self.stale_uses.count(1) {
            tracing::error!(
                target: "hallpass",
                error = &error as &dyn std::error::Error,
                uses,
                "store unavailable, accepting cached tokens beyond max_staleness because of \
                 stale_if_error: revocations on other nodes are not seen"
            );
        }
        Ok(Some(entry.into_token()))
    }

    /// Checks that the cache is not closed.
    ///
    /// # Errors
    ///
    /// Returns [`unavailable`](StoreError::unavailable) if the cache was closed.
    pub(crate) fn check_open(&self) -> Result<(), StoreError> {
        if *self.closing.borrow() {
            return Err(StoreError::unavailable("the cache was closed"));
        }
        Ok(())
    }

    /// Invalidates all cached data: drops the lease, and sets a minimum number that no record can
    /// reach.
    pub(crate) fn invalidate_all(&self) {
        self.lease.drop_lease();
        self.invalidation.raise_min_seq(ChangeSeq::new(u64::MAX));
    }

    /// Returns the highest sequence number that this node has seen, in the log or elsewhere.
    pub(crate) fn highest_seq(&self) -> ChangeSeq {
        let followed = self.position.borrow().map_or(0, |position| position.seq.get());
        ChangeSeq::new(followed.max(self.highest_seq.load(Ordering::Acquire)))
    }

    /// Invalidates all cached data, because the log has another history. The follower continues at
    /// `head`, or at the head that it reads next.
    ///
    /// A change that is applied during the reset may be forgotten. That is safe: it was committed
    /// before, and a load in the new epoch starts after the reset, so it reads the change.
    pub(crate) fn start_over(&self, head: Option<LogPosition>) {
        let _lock = self.resets.lock().unwrap_or_else(PoisonError::into_inner);
        self.metrics.count_flush();
        self.lease.drop_lease();
        // This must come before the epoch begins. If a number of the old history is noted
        // afterwards, the next read of the log detects that the number is above the head, and
        // starts over again.
        self.highest_seq.store(0, Ordering::Release);
        self.invalidation.begin_epoch(head.map_or(ChangeSeq::ZERO, |head| head.seq));
        self.position.send_replace(head);
    }

    /// Invalidates all cached data if `next` is not above `highest_before`. The follower would
    /// detect that, too, but only with its next read of the log.
    pub(crate) fn check_history(&self, highest_before: ChangeSeq, next: ChangeSeq) {
        if next <= highest_before {
            self.start_over(None);
            self.wake_follower.notify_one();
        }
    }

    /// Applies a change that this node has made or seen.
    pub(crate) fn apply(&self, target: &ChangeTarget, seq: ChangeSeq) {
        self.highest_seq.fetch_max(seq.get(), Ordering::AcqRel);
        self.invalidation.apply(target, seq);
    }

    /// Returns the token after loading it, or after waiting for a load that is running already.
    pub(crate) async fn load(
        self: &Arc<Self>,
        id: TokenId,
    ) -> Result<Option<Arc<CachedToken>>, StoreError> {
        let stripe = self.invalidation.token_stripe(id);
        for _ in 0..ATTEMPTS {
            let cache = Arc::clone(self);
            let load = move |started| cache.load_once(id, started);
            let result = self.flights.run(&id, || self.contains(id), load).await;
            let loaded = result.map_err(|error| {
                if matches!(error, LoadError::Rejected) {
                    self.metrics.count_rejected_load();
                }
                StoreError::unavailable(error)
            })??;
            // A change may have been applied while the load was running, so its result is checked
            // like any other entry.
            let check = self.freshness_check();
            match loaded {
                Ok(entry) if check.allows(entry.token()) => return Ok(Some(entry.into_token())),
                Err(reading) if check.allows_absence(stripe, reading) => return Ok(None),
                _ => {}
            }
        }
        // The token changes all the time, or the store has another history, which the follower
        // detects.
        self.wake_follower.notify_one();
        Err(StoreError::unavailable("the token kept changing while it was loaded"))
    }

    /// Reads the token from the store, bypassing the cache. The record is not older than this call.
    pub(crate) async fn reload(&self, id: TokenId) -> Result<Option<Arc<CachedToken>>, StoreError> {
        let called = DualInstant::now();
        // Only one caller reads at a time. The others wait, and then find a record that was read
        // after their calls began.
        let lock = usize::from(self.invalidation.token_stripe(id)) % RELOADS;
        let _lock = self.reload_locks[lock].lock().await;
        if let Some(entry) = self.usable(id)
            && !entry.reading().started.is_before(called)
        {
            return Ok(Some(entry.into_token()));
        }
        let (snapshot, reading) = self.read(id).await?;
        Ok(self.keep(id, snapshot.value, reading).map(Entry::into_token))
    }

    /// Reads the store, and invalidates the data that was cached about the token before.
    ///
    /// The caller may show the record to a user. If the record is revoked, a check on this node
    /// must not accept an older record afterwards.
    pub(crate) async fn read(
        &self,
        id: TokenId,
    ) -> Result<(Snapshot<Option<StoredToken>>, Reading), StoreError> {
        let highest_before = self.highest_seq();
        let (epoch, started) = (self.invalidation.epoch(), DualInstant::now());
        let loading = self.metrics.start_load();
        let reply = self.store.get(id).await;
        loading.end(LoadResult::of(&reply));
        let snapshot = reply?;
        self.check_history(highest_before, snapshot.as_of.next());
        if self.invalidation.epoch() == epoch {
            self.apply(&ChangeTarget::Token(id), snapshot.as_of);
        }
        let reading = Reading { as_of: snapshot.as_of, epoch, started };
        Ok((snapshot, reading))
    }

    /// Caches the result of a read. Freshness is checked at each use, so it is harmless to cache a
    /// record after a change was applied.
    pub(crate) fn keep(
        &self,
        id: TokenId,
        read: Option<StoredToken>,
        reading: Reading,
    ) -> Option<Entry> {
        if self.invalidation.epoch() == reading.epoch {
            self.highest_seq.fetch_max(reading.as_of.get(), Ordering::AcqRel);
        }
        let Some(stored) = read else {
            self.negative.put(id, reading);
            return None;
        };
        let entry = Entry::new(stored, &self.interner, reading, &self.invalidation);
        // A store that returns another token's record is broken. The check reports the error, and
        // the cache does not keep the record.
        if entry.id() == id {
            self.positive.put(&entry);
        }
        Some(entry)
    }

    async fn load_once(
        self: Arc<Self>,
        id: TokenId,
        started: DualInstant,
    ) -> Result<Loaded, StoreError> {
        // Another load may have completed since the caller looked into the cache.
        if let Some(entry) = self.usable(id) {
            return Ok(Ok(entry));
        }
        if let Some(reading) = self.absence(id) {
            return Ok(Err(reading));
        }
        // Like `started`, this must be loaded before the store is queried: see the module
        // `invalidation`.
        let epoch = self.invalidation.epoch();
        let loading = self.metrics.start_load();
        let reply = timeout(self.settings.load_timeout(), self.store.get(id)).await;
        loading.end(reply.as_ref().map_or(LoadResult::Late, LoadResult::of));
        let Snapshot { value, as_of } = reply.map_err(StoreError::unavailable)??;
        let reading = Reading { as_of, epoch, started };
        Ok(self.keep(id, value, reading).ok_or(reading))
    }
}
