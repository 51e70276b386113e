use std::time::Duration;

use crate::guards::Guards;

const LONGEST_GRACE: Duration = Duration::from_secs(60);

/// How a cache behaves. Every setting has a default that fits most services.
///
/// ```
/// use std::time::Duration;
/// use hallpass_cache::CacheSettings;
///
/// let settings = CacheSettings::default().bound(Duration::from_secs(5)).capacity_bytes(16 << 20);
/// # let _ = settings;
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct CacheSettings {
    pub(crate) bound: Duration,
    pub(crate) poll: Duration,
    pub(crate) grace: Duration,
    pub(crate) load_deadline: Duration,
    pub(crate) concurrent_loads: usize,
    pub(crate) capacity_bytes: u64,
    pub(crate) unknown_tokens: usize,
    pub(crate) guards: Guards,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self {
            bound: Duration::from_secs(2),
            poll: Duration::from_millis(500),
            grace: Duration::ZERO,
            load_deadline: Duration::from_secs(1),
            concurrent_loads: 64,
            capacity_bytes: 64 << 20,
            unknown_tokens: 65_536,
            guards: Guards::ON,
        }
    }
}

impl CacheSettings {
    /// B: the longest that another node's change may stay unseen here, whatever breaks. 2 s by default. A
    /// node that cannot prove its records to be fresh within it asks the store.
    pub fn bound(mut self, bound: Duration) -> Self {
        self.bound = bound;
        self
    }

    /// How often the change log is asked: 500 ms by default. Less often than the bound costs reloads, never
    /// freshness.
    pub fn poll(mut self, poll: Duration) -> Self {
        self.poll = poll;
        self
    }

    /// For how long beyond the bound a cached token may still be used while the store cannot be asked: not at all
    /// by default, and at most 60 s, whatever is given.
    ///
    /// For as much longer a revocation made elsewhere may stay unseen here during an outage. A token that
    /// this node has heard of a change to is never used so. Each check that relies on it is counted, and an error
    /// is logged every second.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace.min(LONGEST_GRACE);
        self
    }

    /// How long a check waits for the store before it is answered with 503: 1 s by default.
    pub fn load_deadline(mut self, deadline: Duration) -> Self {
        self.load_deadline = deadline;
        self
    }

    /// For how long others may join a load: what it finds must be of use to them.
    pub(crate) fn joinable(&self) -> Duration {
        self.bound.min(Duration::from_millis(500))
    }

    /// For how long a load goes on. Beyond the bound no answer is of use, and a place that is held for ever is
    /// lost to all.
    pub(crate) fn patience(&self) -> Duration {
        self.bound.max(self.load_deadline)
    }

    /// How many loads may be under way at once: 64 by default. Beyond it, tokens that are not cached get 503.
    pub fn concurrent_loads(mut self, loads: usize) -> Self {
        self.concurrent_loads = loads;
        self
    }

    /// How much memory cached tokens may take, about: 64 MiB by default.
    pub fn capacity_bytes(mut self, bytes: u64) -> Self {
        self.capacity_bytes = bytes;
        self
    }

    /// For how many ids it is remembered that there is no such token: 65,536 by default, in a fixed table.
    pub fn negative_capacity(mut self, ids: usize) -> Self {
        self.unknown_tokens = ids;
        self
    }
}
