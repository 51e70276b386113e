//! Each guard: what happens without it, and that it does not happen with it.

mod coherence;
mod gate;
mod loads;

use std::time::Duration;

use hallpass_core::{Caller, Denied, Hallpass, Issued, NewToken, Principal};
use hallpass_memory::MemoryStore;

use self::gate::Gate;
use crate::guards::Guards;
use crate::{CacheSettings, Cached};

/// Short enough to wait for, long enough for a busy machine to do something within it.
const BOUND: Duration = Duration::from_secs(1);

/// One node: a handle with a cache of its own, and the gate to its store.
struct Node {
    passes: Hallpass,
    gate: Gate,
}

fn settings(guards: Guards) -> CacheSettings {
    let settings = CacheSettings::default().bound(BOUND).poll(Duration::from_millis(20));
    CacheSettings { guards, ..settings }
}

impl Node {
    fn new(store: &MemoryStore, guards: Guards) -> Self {
        Self::with(store, settings(guards))
    }

    fn with(store: &MemoryStore, settings: CacheSettings) -> Self {
        let gate = Gate::new(store);
        let passes = Hallpass::builder(Cached::with(gate.clone(), settings)).build();
        Self { passes, gate }
    }

    async fn issue(&self) -> Issued {
        self.passes.issue(&alice(), NewToken::named("ci")).await.unwrap()
    }

    async fn check(&self, issued: &Issued) -> Result<Principal, Denied> {
        self.passes.authenticate(issued.token.reveal().as_bytes()).await
    }

    async fn accepts(&self, issued: &Issued) -> bool {
        self.check(issued).await.is_ok()
    }
}

fn alice() -> Caller {
    Caller::owner("alice")
}
