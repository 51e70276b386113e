//! The promises of the cache, tested through the handle and with a store that fails in every way.
//!
//! `tests/guards/cache.toml` lists for each safety step of the cache the test that fails without
//! it.

mod catch_up;
mod clocks;
mod closing;
mod failover;
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

/// The maximum staleness in these tests. It is short enough to wait for, and long enough for a busy
/// machine.
const BOUND: Duration = Duration::from_secs(1);

/// A node: a handle with its own cache, and the faults of its store.
struct Node {
    hallpass: Hallpass,
    store: FaultyStore<MemoryStore>,
    flawed: Flawed,
}

fn settings() -> CacheSettings {
    CacheSettings::default().max_staleness(BOUND).poll(Duration::from_millis(20))
}

/// Returns an event for changes that a test makes directly in the store.
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

    /// Disconnects the node from the change log.
    fn cut_the_log(&self) {
        self.faults().on(Operation::Changes).fail();
    }

    /// Returns how often a token was read from the store.
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

    /// Starts a check that reads the token now, and gets the reply when the gate opens.
    async fn accepts_late(self: &Arc<Self>, issued: &Arc<Issued>) -> (Gate, JoinHandle<bool>) {
        let gate = self.faults().on(Operation::Get).once().hold();
        let late = tokio::spawn({
            let (node, issued) = (Arc::clone(self), Arc::clone(issued));
            async move { node.accepts(&issued).await }
        });
        gate.arrived(1).await;
        (gate, late)
    }

    /// Waits until this node has read all current entries of the log. It must have been used
    /// before.
    async fn catch_up(&self) {
        // The first read may have been running already. The second one has started since, and was
        // applied before the third one starts.
        let taken_in = self.faults().calls(Operation::Changes) + 3;
        while self.faults().calls(Operation::Changes) < taken_in {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Does the same, and loads the current record of the token into the cache.
    async fn catch_up_by(&self, issued: &Issued) {
        assert!(self.accepts(issued).await);
        self.catch_up().await;
        assert!(self.accepts(issued).await);
    }

    /// Returns whether any check accepts the token that starts later than the bound after
    /// `changed`.
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
