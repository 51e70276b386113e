use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::guards::Guards;

/// The longest that a stale token may be used while the store cannot be reached.
const MAX_STALE_IF_ERROR: Duration = Duration::from_secs(60);

/// How a cache behaves. Every setting has a default that fits most services.
///
/// ```
/// use std::time::Duration;
/// use hallpass_cache::CacheSettings;
///
/// let settings = CacheSettings::default().max_staleness(Duration::from_secs(5)).capacity_bytes(16 << 20);
/// # let _ = settings;
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct CacheSettings {
    pub(crate) max_staleness: Duration,
    pub(crate) max_age: Duration,
    pub(crate) poll: Duration,
    pub(crate) stale_if_error: Duration,
    pub(crate) load_deadline: Duration,
    pub(crate) concurrent_loads: usize,
    pub(crate) capacity_bytes: u64,
    pub(crate) queued_loads: usize,
    pub(crate) negative_capacity: usize,
    pub(crate) guards: Guards,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self {
            max_staleness: Duration::from_secs(2),
            max_age: Duration::from_secs(60),
            poll: Duration::from_millis(500),
            stale_if_error: Duration::ZERO,
            load_deadline: Duration::from_secs(1),
            concurrent_loads: 64,
            capacity_bytes: 64 << 20,
            queued_loads: 4096,
            negative_capacity: 65_536,
            guards: Guards::ON,
        }
    }
}

impl CacheSettings {
    /// Sets the bound: the longest time that a change made on another node may stay unseen on this
    /// one, whatever breaks. 2 s by default, between 10 ms and 1 h. A node that cannot prove its
    /// records to be fresh within the bound asks the store.
    pub fn max_staleness(mut self, bound: Duration) -> Self {
        self.max_staleness = bound;
        self
    }

    /// Sets the age at which a cached token is read again even though the change log shows no change:
    /// 60 s by default, between 1 s and 24 h. It limits how long a change that was made past the
    /// library, by hand in the database, stays unseen.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// Sets how often the change log is polled: 500 ms by default, between 1 ms and 1 h. A longer
    /// interval than the bound costs reloads, never freshness.
    pub fn poll(mut self, poll: Duration) -> Self {
        self.poll = poll;
        self
    }

    /// Sets how long beyond the bound a cached token may be used while the store cannot be reached
    /// (RFC 5861, section 4). Not at all by default, and at most 60 s.
    ///
    /// During an outage a revocation made on another node may stay unseen here for this much longer. A
    /// token that this node knows to have changed is never used. Each such check is counted, and an
    /// error is logged every second.
    pub fn stale_if_error(mut self, duration: Duration) -> Self {
        self.stale_if_error = duration.min(MAX_STALE_IF_ERROR);
        self
    }

    /// Sets how long a check waits for the store before the answer is 503: 1 s by default, between 1 ms
    /// and 1 min.
    pub fn load_deadline(mut self, deadline: Duration) -> Self {
        self.load_deadline = deadline;
        self
    }

    /// Returns how long others may join a load. What it finds must still be fresh for them.
    pub(crate) fn joinable(&self) -> Duration {
        self.max_staleness.min(Duration::from_millis(500))
    }

    /// Returns the deadline of a load. Beyond the bound its result is of no use, and a load that never
    /// ends would keep its place.
    pub(crate) fn patience(&self) -> Duration {
        self.max_staleness.max(self.load_deadline)
    }

    /// Sets how many tokens are read from the store at once: 64 by default. Further loads wait in a
    /// queue.
    pub fn concurrent_loads(mut self, loads: usize) -> Self {
        self.concurrent_loads = loads;
        self
    }

    /// Sets how many loads may wait for their turn: 4096 by default. They are served in order, so that a
    /// flood of made-up tokens delays valid ones and does not starve them. If the queue is full, the
    /// answer is 503.
    pub fn queued_loads(mut self, loads: usize) -> Self {
        self.queued_loads = loads;
        self
    }

    /// Sets about how much memory cached tokens may take: 64 MiB by default.
    pub fn capacity_bytes(mut self, bytes: u64) -> Self {
        self.capacity_bytes = bytes;
        self
    }

    /// Sets for how many ids the cache remembers that there is no such token: 65,536 by default, in a
    /// table of fixed size.
    pub fn negative_capacity(mut self, ids: usize) -> Self {
        self.negative_capacity = ids;
        self
    }

    /// Checks that every setting is within its range.
    pub(crate) fn check(&self) -> Result<(), SettingsError> {
        let millis = Duration::from_millis;
        let hour = Duration::from_secs(3600);
        let durations: [(&str, Duration, RangeInclusive<Duration>); 4] = [
            ("max_staleness", self.max_staleness, millis(10)..=hour),
            ("max_age", self.max_age, Duration::from_secs(1)..=24 * hour),
            ("poll", self.poll, millis(1)..=hour),
            ("load_deadline", self.load_deadline, millis(1)..=Duration::from_secs(60)),
        ];
        for (setting, value, range) in durations {
            if !range.contains(&value) {
                return Err(SettingsError { setting, value, range });
            }
        }
        Ok(())
    }
}

/// A setting of the cache is out of range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError {
    setting: &'static str,
    value: Duration,
    range: RangeInclusive<Duration>,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { setting, value, range } = self;
        let (min, max) = (range.start(), range.end());
        write!(f, "`CacheSettings::{setting}` is {value:?}: set it between {min:?} and {max:?}")
    }
}

impl std::error::Error for SettingsError {}
