//! The settings of a cache.

use std::fmt::Debug;
use std::ops::RangeInclusive;
use std::time::Duration;

/// The settings of a cache. Every setting has a default that fits most services.
///
/// Bounds are checked when the cache is created: see [`Cached::try_with_settings`].
///
/// ```
/// use std::time::Duration;
///
/// use hallpass_cache::{CacheSettings, Cached};
/// use hallpass_core::Hallpass;
/// use hallpass_memory::MemoryStore;
///
/// let settings = CacheSettings::default()
///     .max_staleness(Duration::from_secs(5))
///     .poll(Duration::from_secs(1))
///     .capacity_bytes(16 << 20);
/// let store = Cached::with_settings(MemoryStore::new(), settings);
/// let hallpass = Hallpass::builder(store).build();
/// # let _ = hallpass;
/// ```
///
/// [`Cached::try_with_settings`]: crate::Cached::try_with_settings
#[derive(Clone, Debug)]
#[must_use]
pub struct CacheSettings {
    pub(crate) max_staleness: Duration,
    pub(crate) max_age: Duration,
    pub(crate) poll: Duration,
    pub(crate) stale_if_error: Duration,
    pub(crate) load_deadline: Duration,
    pub(crate) concurrent_loads: usize,
    pub(crate) queued_loads: usize,
    pub(crate) capacity_bytes: u64,
    pub(crate) negative_capacity: usize,
}

/// The error for a setting that is outside its bounds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid cache setting `{setting}`: {value} is not between {least} and {most}")]
pub struct CacheSettingsError {
    setting: &'static str,
    value: String,
    least: String,
    most: String,
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
            queued_loads: 4096,
            capacity_bytes: 64 << 20,
            negative_capacity: 65_536,
        }
    }
}

impl CacheSettings {
    /// Sets the longest time for which this node may miss a change of another node, whatever fails.
    /// The default is 2 s, the bounds are 10 ms and 1 h.
    ///
    /// A node that cannot prove that its records are at most this stale queries the store.
    pub fn max_staleness(mut self, max_staleness: Duration) -> Self {
        self.max_staleness = max_staleness;
        self
    }

    /// Sets the longest time for which a record is used without reading it again, even if the
    /// change log reports no change. The default is 60 s, the bounds are 10 ms and 24 h.
    ///
    /// If a record is changed by hand in the database, the change is not in the log. This setting
    /// limits how long such a change is missed.
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }

    /// Sets the interval at which the change log is read. The default is 500 ms, the bounds are 1
    /// ms and 1 h. An interval longer than `max_staleness` causes reloads, but never stale records.
    pub fn poll(mut self, poll: Duration) -> Self {
        self.poll = poll;
        self
    }

    /// Sets how long beyond `max_staleness` and `max_age` a cached token may be used while the
    /// store cannot be reached. The default is zero, the maximum is 60 s.
    ///
    /// During an outage, this node may miss a revocation of another node for that much longer. A
    /// token is never used that way if this node has seen a change of it. Each such check is
    /// counted, and an error is logged once a second.
    pub fn stale_if_error(mut self, stale_if_error: Duration) -> Self {
        self.stale_if_error = stale_if_error;
        self
    }

    /// Sets how long a check waits in the queue and for the store before it fails with
    /// [`AuthError::Unavailable`](hallpass_core::AuthError::Unavailable). The default is 1 s, the
    /// bounds are 1 ms and 60 s.
    pub fn load_deadline(mut self, deadline: Duration) -> Self {
        self.load_deadline = deadline;
        self
    }

    /// Sets how many loads may run at the same time. Further loads wait in a queue. The default is
    /// 64, the bounds are 1 and 65,536.
    pub fn concurrent_loads(mut self, loads: usize) -> Self {
        self.concurrent_loads = loads;
        self
    }

    /// Sets how many loads may wait in the queue. The default is 4096, the maximum is 1,048,576.
    ///
    /// Loads are served in the order of their arrival. If the queue is full, the check of a token
    /// that is not cached fails at once with
    /// [`AuthError::Unavailable`](hallpass_core::AuthError::Unavailable).
    pub fn queued_loads(mut self, loads: usize) -> Self {
        self.queued_loads = loads;
        self
    }

    /// Sets approximately how much memory cached tokens may take. The default is 64 MiB, the
    /// maximum is 1 TiB.
    pub fn capacity_bytes(mut self, bytes: u64) -> Self {
        self.capacity_bytes = bytes;
        self
    }

    /// Sets how many ids of tokens that do not exist are remembered, in a table of fixed size. The
    /// default is 65,536, the maximum is 16,777,216.
    pub fn negative_capacity(mut self, ids: usize) -> Self {
        self.negative_capacity = ids;
        self
    }

    /// Returns how long after its start a load may be joined. A load that takes longer may have
    /// been lost, and its result would be too old for the callers that join it.
    pub(crate) fn joinable(&self) -> Duration {
        self.max_staleness.min(Duration::from_millis(500))
    }

    /// Returns the time limit of a load. A result older than `max_staleness` cannot be used, and a
    /// load without a limit could occupy one of the `concurrent_loads` forever.
    pub(crate) fn load_timeout(&self) -> Duration {
        self.max_staleness.max(self.load_deadline)
    }

    /// Checks the bounds of all settings. The bounds also ensure that sums of durations do not
    /// overflow.
    pub(crate) fn check(&self) -> Result<(), CacheSettingsError> {
        let (ms, s) = (Duration::from_millis, Duration::from_secs);
        check("max_staleness", self.max_staleness, ms(10)..=s(3600))?;
        check("max_age", self.max_age, ms(10)..=s(86_400))?;
        check("poll", self.poll, ms(1)..=s(3600))?;
        check("stale_if_error", self.stale_if_error, Duration::ZERO..=s(60))?;
        check("load_deadline", self.load_deadline, ms(1)..=s(60))?;
        check("concurrent_loads", self.concurrent_loads, 1..=65_536)?;
        check("queued_loads", self.queued_loads, 0..=1 << 20)?;
        check("capacity_bytes", self.capacity_bytes, 0..=1 << 40)?;
        check("negative_capacity", self.negative_capacity, 0..=1 << 24)
    }
}

fn check<T: PartialOrd + Debug>(
    setting: &'static str,
    value: T,
    bounds: RangeInclusive<T>,
) -> Result<(), CacheSettingsError> {
    if bounds.contains(&value) {
        return Ok(());
    }
    let text = |value: &T| format!("{value:?}");
    let (least, most) = (text(bounds.start()), text(bounds.end()));
    Err(CacheSettingsError { setting, value: text(&value), least, most })
}
