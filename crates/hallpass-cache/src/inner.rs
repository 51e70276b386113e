//! The cache itself: what is usable, and how what is not is loaded.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hallpass_core::__private::{CachedToken, Interner};
use hallpass_core::TokenId;
use hallpass_core::store::{
    ChangeSeq, ChangeTarget, Snapshot, StoreError, StoredToken, TokenStore,
};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::timeout;

use crate::entry::{Entry, Reading};
use crate::flight::{Boarded, Flights, Landed, Pilot, landed};
use crate::follow::follow;
use crate::measure::{Loaded, LookupKind, Measure};
use crate::moment::{Lease, Moment};
use crate::negative::Negative;
use crate::order::Judge;
use crate::positive::Positive;
use crate::settings::CacheSettings;
use crate::stale_use::StaleUse;
use crate::standings::Standings;
use crate::store_clock::StoreClock;
use crate::stripes::Stripes;
use crate::turns::Turns;

#[derive(Debug)]
pub(crate) struct Inner<S> {
    pub(crate) store: S,
    pub(crate) settings: CacheSettings,
    pub(crate) stripes: Stripes,
    pub(crate) lease: Lease,
    pub(crate) standings: Arc<Standings>,
    pub(crate) store_clock: StoreClock,
    stale_use: StaleUse,
    pub(crate) measure: Measure,
    /// The newest change that the change feed has applied.
    pub(crate) applied: watch::Sender<ChangeSeq>,
    /// Makes the change feed look at once.
    pub(crate) wake: Notify,
    /// Turns true once.
    pub(crate) closing: watch::Sender<bool>,
    positive: Positive,
    negative: Negative,
    pool: Interner,
    flights: Arc<Flights<TokenId, Option<Entry>>>,
    turns: Turns,
    /// Whether a task follows the change log. Cleared by whatever ends that task.
    pub(crate) following: AtomicBool,
    /// Whether such a task was ever started.
    followed: AtomicBool,
    /// One for each load that may be under way. Waiting loads get one in the order they came.
    permits: Semaphore,
}

/// How often a load is repeated when changes keep overtaking it.
const ATTEMPTS: usize = 3;

impl<S: TokenStore> Inner<S> {
    pub(crate) fn new(store: S, settings: CacheSettings) -> Self {
        Self {
            stripes: Stripes::new(),
            lease: Lease::none(),
            standings: Arc::new(Standings::new(&settings)),
            store_clock: StoreClock::default(),
            stale_use: StaleUse::default(),
            measure: Measure::default(),
            closing: watch::Sender::new(false),
            positive: Positive::new(settings.capacity_bytes),
            negative: Negative::new(settings.negative_capacity),
            pool: Interner::new(),
            flights: Arc::new(Flights::new(&settings)),
            turns: Turns::new(),
            following: AtomicBool::new(false),
            followed: AtomicBool::new(false),
            permits: Semaphore::new(if settings.guards.bounded_loads() {
                settings.concurrent_loads.clamp(1, Semaphore::MAX_PERMITS)
            } else {
                Semaphore::MAX_PERMITS
            }),
            applied: watch::Sender::new(ChangeSeq::ZERO),
            wake: Notify::new(),
            store,
            settings,
        }
    }

    /// Starts the task that follows the change log, on the caller's runtime, if none is running. The
    /// last one may have ended with the runtime that it was started on, or by a panic.
    pub(crate) fn ensure_following(self: &Arc<Self>) {
        if self.following.load(Ordering::SeqCst) || self.following.swap(true, Ordering::SeqCst) {
            return;
        }
        let started_again = self.followed.swap(true, Ordering::SeqCst);
        if started_again {
            tracing::warn!(target: "hallpass", "change log follower ended, starting it again");
        }
        tokio::spawn(follow(Arc::downgrade(self), started_again));
    }

    /// Waits until this node has applied every change up to `seq`, because somebody was shown a list
    /// that contains them. If the change feed does not get there in time, everything older is
    /// reloaded.
    ///
    /// After a failover that lost changes, `seq` may be below what was applied before. The change
    /// feed notices that by itself.
    pub(crate) async fn catch_up(&self, seq: ChangeSeq) {
        // Without a change feed nothing has been cached yet.
        if !self.following.load(Ordering::SeqCst) || !self.settings.guards.shown_lists() {
            return;
        }
        let mut applied = self.applied.subscribe();
        if *applied.borrow() >= seq {
            return;
        }
        self.wake.notify_one();
        let caught_up = applied.wait_for(|applied| *applied >= seq);
        if timeout(self.settings.load_deadline, caught_up).await.is_err() {
            self.stripes.raise_floor(seq);
        }
    }

    /// The order counts: lease, then entry, then stripes.
    pub(crate) fn usable(&self, id: TokenId) -> Option<Entry> {
        let judge = self.judge();
        self.positive.get(id, |token| judge.allows(token))
    }

    /// Whether the token was seen here before, usable or not.
    pub(crate) fn remembers(&self, id: TokenId) -> bool {
        self.positive.remembers(id)
    }

    /// The token as it was cached, where the host chose to rely on that while the store cannot be asked.
    ///
    /// # Errors
    ///
    /// The given one: there is no grace, it is over, or a change to the token is known.
    pub(crate) fn serve_stale(
        &self,
        id: TokenId,
        error: StoreError,
    ) -> Result<Option<Arc<CachedToken>>, StoreError> {
        let grace = self.settings.stale_if_error;
        // A record that cannot be read is an answer, too.
        if grace.is_zero() || error.is_corrupt() || self.is_open().is_err() {
            return Err(error);
        }
        let judge = self.judge().more_patient(grace);
        let Some(entry) = self.positive.get(id, |token| judge.allows(token)) else {
            return Err(error);
        };
        self.measure.looked_up(LookupKind::Grace);
        self.stale_use.said(&error);
        Ok(Some(entry.into_token()))
    }

    pub(crate) fn is_known_absent(&self, id: TokenId) -> bool {
        self.negative.holds(id, &self.stripes, self.judge())
    }

    fn judge(&self) -> Judge<'_> {
        Judge::new(&self.lease, &self.stripes, &self.settings)
    }

    /// Ends the task that follows the log, and voids all that is cached and all that will be.
    pub(crate) fn close(&self) {
        self.closing.send_replace(true);
        self.void();
    }

    /// Whether tokens may still be looked up.
    ///
    /// # Errors
    ///
    /// The cache was closed.
    pub(crate) fn is_open(&self) -> Result<(), StoreError> {
        if *self.closing.borrow() && self.settings.guards.closing() {
            return Err(StoreError::unavailable("the cache was closed"));
        }
        Ok(())
    }

    /// Without a lease, and with a floor that nothing reaches, nothing is usable.
    pub(crate) fn void(&self) {
        if self.settings.guards.closing() {
            self.lease.give_up();
            self.stripes.raise_floor(ChangeSeq::new(u64::MAX));
        }
    }

    /// Applies a change of this node's own before its caller is told that it is done.
    pub(crate) fn apply_own(&self, affected: &ChangeTarget, seq: ChangeSeq) {
        if self.settings.guards.own_changes() {
            self.stripes.apply(affected, seq);
        }
    }

    /// Applies all that is logged by now to an owner or a token: a call found nothing left to change, and another node
    /// may have changed it.
    pub(crate) async fn apply_others(&self, affected: &[ChangeTarget]) -> Result<(), StoreError> {
        if !self.settings.guards.others_changes() {
            return Ok(());
        }
        let head = self.store.changes(None, 0).await?.head.seq;
        affected.iter().for_each(|affected| self.apply_own(affected, head));
        Ok(())
    }

    pub(crate) async fn load(
        self: &Arc<Self>,
        id: TokenId,
    ) -> Result<Option<Arc<CachedToken>>, StoreError> {
        let mut attempts = 0;
        while attempts < ATTEMPTS {
            let landing = match self.flights.board(&id) {
                Boarded::Follows(landing) => landing,
                // A load may have landed since the caches were looked at: then they know by now.
                Boarded::Leads(pilot, _) if self.is_known_absent(id) => {
                    pilot.land(Ok(None));
                    return Ok(None);
                }
                Boarded::Leads(pilot, landing) => {
                    if let Some(entry) = self.usable(id) {
                        pilot.land(Ok(Some(entry.clone())));
                        return Ok(Some(entry.into_token()));
                    }
                    let flight = Arc::clone(self).fly(id, pilot);
                    if self.settings.guards.detached_loads() {
                        // A task of its own: a client that goes away cancels nobody else.
                        tokio::spawn(flight);
                    } else {
                        flight.await;
                    }
                    landing
                }
                Boarded::Full => {
                    self.measure.turned_away();
                    return Err(StoreError::unavailable(
                        "too many tokens are waiting to be loaded",
                    ));
                }
            };
            attempts += 1;
            match landed(landing).await? {
                None => return Ok(None),
                Some(entry) if self.may_use(&entry) => return Ok(Some(entry.into_token())),
                Some(_) => {}
            }
        }
        Err(StoreError::unavailable("the token kept changing while it was loaded"))
    }

    /// The token as the store has it after this was called.
    pub(crate) async fn reload(&self, id: TokenId) -> Result<Option<Arc<CachedToken>>, StoreError> {
        let called = Moment::now();
        // One at a time asks; who waited meanwhile finds what was read after they came.
        let _turn = self.turns.of(id).lock().await;
        if let Some(entry) = self.usable(id)
            && !entry.reading().started.is_before(called)
        {
            return Ok(Some(entry.into_token()));
        }
        let (found, reading) = self.look(id).await?;
        Ok(self.keep(id, found.value, reading).map(Entry::into_token))
    }

    /// Asks the store itself. A reading of before is void from here on: what this node has shown, it does
    /// not take back.
    pub(crate) async fn look(
        &self,
        id: TokenId,
    ) -> Result<(Snapshot<Option<StoredToken>>, Reading), StoreError> {
        let (history, started) = (self.stripes.history(), Moment::now());
        let loading = self.measure.load_begins();
        let found = self.store.get(id).await;
        loading.ended(Loaded::of(&found));
        let found = found?;
        if self.settings.guards.shown_is_known() && self.stripes.history() == history {
            self.stripes.apply(&ChangeTarget::Token(id), found.as_of);
        }
        let reading = Reading { as_of: found.as_of, history, started };
        Ok((found, reading))
    }

    /// Caches what was read. Whether it is usable is decided at each use, so nothing can come too late.
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
        let entry = Entry::new(stored, &self.pool, reading, &self.stripes);
        // Another token's record is for the check to refuse, not for the cache to keep.
        if entry.id() == id {
            self.positive.put(&entry);
        }
        Some(entry)
    }

    /// Whether what a load found may be used: changes may have been applied while it was under way.
    fn may_use(&self, entry: &Entry) -> bool {
        self.judge().allows(entry.token())
    }

    async fn fly(self: Arc<Self>, id: TokenId, pilot: Pilot<TokenId, Option<Entry>>) {
        // The semaphore is fair: a flood of made-up tokens delays the others and starves none. Once all
        // who waited for this load have given up, nobody needs it.
        let permit = self.permits.acquire();
        let Ok(Ok(_permit)) = timeout(self.settings.load_deadline, permit).await else {
            pilot.land(Err(StoreError::unavailable("waited too long for other loads").into()));
            return;
        };
        let (history, started) = (self.stripes.history(), Moment::now());
        let loading = self.measure.load_begins();
        let found = timeout(self.settings.patience(), self.store.get(id)).await;
        loading.ended(found.as_ref().map_or(Loaded::Late, Loaded::of));
        let found: Landed<_> = match found {
            Ok(Err(_)) if !self.settings.guards.errors_forgotten() => Ok(self.keep(
                id,
                None,
                Reading { as_of: ChangeSeq::new(u64::MAX), history, started },
            )),
            Err(late) => Err(StoreError::unavailable(late).into()),
            Ok(Err(error)) => Err(error.into()),
            Ok(Ok(Snapshot { value, as_of })) => {
                let asked_first = self.settings.guards.asked_first();
                let started = if asked_first { started } else { Moment::now() };
                Ok(self.keep(id, value, Reading { as_of, history, started }))
            }
        };
        pilot.land(found);
    }
}
