//! Each guard: what happens without it, and that it does not happen with it. `docs/guards.md` lists them.

mod clocks;
mod closing;
mod flawed;
mod freshness;
mod loads;
mod log;
mod records;
mod standings;

use std::sync::Arc;
use std::time::{Duration, Instant};

use hallpass_core::{
    Actor, AuthError, Hallpass, HallpassBuilder, Issued, NewToken, Owner, Principal,
};
use hallpass_memory::MemoryStore;
use hallpass_testkit::{Faults, FaultyStore, Gate, Operation};
use tokio::task::JoinHandle;

use self::flawed::{Flaw, Flawed};
use crate::guards::Guards;
use crate::inner::Inner;
use crate::{CacheSettings, Cached};

/// Short enough to wait for, long enough for a busy machine to do something within it.
const BOUND: Duration = Duration::from_secs(1);

/// One node: a handle with a cache of its own, and what can go wrong with its store.
struct Node {
    hallpass: Hallpass,
    store: FaultyStore<MemoryStore>,
    cache: Arc<Inner<Flawed>>,
}

fn settings(guards: Guards) -> CacheSettings {
    let settings = CacheSettings::default().max_staleness(BOUND).poll(Duration::from_millis(20));
    CacheSettings { guards, ..settings }
}

impl Node {
    fn new(store: &MemoryStore, guards: Guards) -> Self {
        Self::with(store, settings(guards))
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
        let cached = Cached::with_settings(Flawed::new(store.clone(), flaw), settings);
        let cache = Arc::clone(&cached.0);
        let hallpass = more(Hallpass::builder(cached)).build();
        Self { hallpass, store, cache }
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

#[test]
fn every_guard_is_explained_and_every_test_named_there_exists() {
    let table = include_str!("../../../../docs/guards.md");
    for guard in Guards::NAMES {
        assert!(table.contains(&format!("| `{guard}` |")), "{guard} is not in docs/guards.md");
    }
    let tests = [
        include_str!("closing.rs"),
        include_str!("freshness.rs"),
        include_str!("loads.rs"),
        include_str!("log.rs"),
        include_str!("records.rs"),
        include_str!("standings.rs"),
    ];
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    for row in rows.filter(|row| !row.contains("loom")) {
        let test = row.trim_end_matches([' ', '|', '`']).rsplit('`').next().unwrap();
        let declared = format!("async fn {test}()");
        assert!(tests.iter().any(|file| file.contains(&declared)), "there is no test {test}");
    }
}
