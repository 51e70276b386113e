//! What the cache promises, tested through the handle with a store that fails in every way.
//!
//! `tests/guards/cache.toml` lists which of these tests fails without which line of the cache.

mod catch_up;
mod clocks;
mod closing;
mod feed;
mod flawed;
mod flood;
mod freshness;
mod loads;
mod log;
mod owner_statuses;
mod records;

use std::sync::Arc;
use std::time::{Duration, Instant};

use hallpass_cache::{CacheSettings, Cached};
use hallpass_core::{
    Actor, AuthError, Event, EventKind, Hallpass, HallpassBuilder, Issued, NewToken, Owner,
    Principal,
};
use hallpass_memory::MemoryStore;
use hallpass_testkit::{Faults, FaultyStore, Gate, Operation};
use tokio::task::JoinHandle;

use self::flawed::{Flaw, Flawed};

/// Short enough to wait for, long enough for a busy machine to do something within it.
const BOUND: Duration = Duration::from_secs(1);

/// One node: a handle with a cache of its own, and what can go wrong with its store.
struct Node {
    hallpass: Hallpass,
    store: FaultyStore<MemoryStore>,
    flawed: Flawed,
}

fn settings() -> CacheSettings {
    CacheSettings::default().max_staleness(BOUND).poll(Duration::from_millis(20))
}

/// Returns an event for changes that a test makes past the handle.
fn event() -> Event {
    Event::new(EventKind::OwnerChanged, jiff::Timestamp::now())
}

impl Node {
    fn new(store: &MemoryStore) -> Self {
        Self::with(store, settings())
    }

    fn with(store: &MemoryStore, settings: CacheSettings) -> Self {
        Self::build(store, Flaw::None, settings, |builder| builder)
    }

    fn build(
        store: &MemoryStore,
        flaw: Flaw,
        settings: CacheSettings,
        more: impl FnOnce(HallpassBuilder) -> HallpassBuilder,
    ) -> Self {
        let store = FaultyStore::new(store.clone());
        let flawed = Flawed::new(store.clone(), flaw);
        let cached = Cached::with_settings(flawed.clone(), settings);
        let hallpass = more(Hallpass::builder(cached)).build();
        Self { hallpass, store, flawed }
    }

    fn faults(&self) -> &Faults {
        self.store.faults()
    }

    /// From here on this node hears of changes from nobody.
    fn cut_the_log(&self) {
        self.faults().on(Operation::Changes).fail();
    }

    /// How often a token was read.
    fn reads(&self) -> u64 {
        self.faults().calls(Operation::Get)
    }

    async fn issue(&self) -> Issued {
        self.hallpass.issue(&alice(), NewToken::named("ci")).await.unwrap()
    }

    async fn check(&self, issued: &Issued) -> Result<Principal, AuthError> {
        self.hallpass.authenticate(issued.token.reveal().as_bytes()).await
    }

    async fn accepts(&self, issued: &Issued) -> bool {
        self.check(issued).await.is_ok()
    }

    /// A check that reads the token now, and is told so when the gate opens.
    async fn accepts_late(self: &Arc<Self>, issued: &Arc<Issued>) -> (Gate, JoinHandle<bool>) {
        let gate = self.faults().on(Operation::Get).once().hold();
        let late = tokio::spawn({
            let (node, issued) = (Arc::clone(self), Arc::clone(issued));
            async move { node.accepts(&issued).await }
        });
        gate.arrived(1).await;
        (gate, late)
    }

    /// Waits until this node has read the log as far as it goes now. It must have been used.
    async fn catch_up(&self) {
        // The first may have been under way, the second has been asked since, and taken in by the third.
        let taken_in = self.faults().calls(Operation::Changes) + 3;
        while self.faults().calls(Operation::Changes) < taken_in {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// The same, and has the token in its cache, as it is.
    async fn catch_up_by(&self, issued: &Issued) {
        assert!(self.accepts(issued).await);
        self.catch_up().await;
        assert!(self.accepts(issued).await);
    }

    /// Whether any check is let in that starts more than the bound after that.
    async fn accepts_beyond_the_bound(&self, issued: &Issued, changed: Instant) -> bool {
        while changed.elapsed() < BOUND * 17 / 10 {
            let started = changed.elapsed();
            if self.accepts(issued).await && started > BOUND {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        false
    }
}

fn alice() -> Actor {
    Actor::owner("alice")
}

fn owner_alice() -> Owner {
    Owner::new("alice").unwrap()
}
