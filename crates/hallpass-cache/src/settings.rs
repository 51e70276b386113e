use std::fmt::Debug;
use std::ops::RangeInclusive;
use std::time::Duration;

/// How a cache behaves. Every setting has a default that fits most services.
///
/// Bounds are checked when the cache is created, see [`Cached::try_with_settings`].
///
/// ```
/// use std::time::Duration;
/// use hallpass_cache::CacheSettings;
///
/// let settings =
///     CacheSettings::default().max_staleness(Duration::from_secs(5)).capacity_bytes(16 << 20);
/// # let _ = settings;
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

/// A setting is outside its bounds.
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
    /// Sets the longest time for which another node's change may stay unseen on this node, whatever
    /// breaks: 2 s by default, from 10 ms to 1 h. A node that cannot prove that its records are at
    /// most this stale asks the store.
    pub fn max_staleness(mut self, max_staleness: Duration) -> Self {
        self.max_staleness = max_staleness;
        self
    }

    /// Sets the longest time for which a record is used without being read again, even if the
    /// change log reports no change: 60 s by default, from 10 ms to 24 h.
    ///
    /// The change log does not report what somebody changes by hand in the database. This setting
    /// bounds how long such a change stays unseen.
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }

    /// Sets how often the change log is read: every 500 ms by default, from 1 ms to 1 h. A pause
    /// longer than `max_staleness` costs reloads, never freshness.
    pub fn poll(mut self, poll: Duration) -> Self {
        self.poll = poll;
        self
    }

    /// Sets for how long beyond `max_staleness` and `max_age` a cached token may still be used
    /// while the store cannot be reached: not at all by default, and at most 60 s.
    ///
    /// During an outage, a revocation on another node may stay unseen here for that much longer. A
    /// token that this node knows was changed is never used that way. Each such check is counted,
    /// and an error is logged once a second.
    pub fn stale_if_error(mut self, stale_if_error: Duration) -> Self {
        self.stale_if_error = stale_if_error;
        self
    }

    /// Sets how long a check waits for the store, or for its place in the queue, before it is
    /// answered with 503: 1 s by default, from 1 ms to 60 s.
    pub fn load_deadline(mut self, deadline: Duration) -> Self {
        self.load_deadline = deadline;
        self
    }

    /// Sets how many loads may run at the same time: 64 by default, from 1 to 65,536. Further loads
    /// wait in a queue.
    pub fn concurrent_loads(mut self, loads: usize) -> Self {
        self.concurrent_loads = loads;
        self
    }

    /// Sets how many loads may wait for their turn: 4096 by default, at most 1,048,576. They are
    /// served in the order in which they came. When the queue is full, tokens that this node has
    /// not seen before get 503 at once.
    pub fn queued_loads(mut self, loads: usize) -> Self {
        self.queued_loads = loads;
        self
    }

    /// Sets approximately how much memory cached tokens may take: 64 MiB by default, at most 1 TiB.
    pub fn capacity_bytes(mut self, bytes: u64) -> Self {
        self.capacity_bytes = bytes;
        self
    }

    /// Sets for how many ids the cache remembers that there is no such token: 65,536 by default, in
    /// a table of fixed size, at most 16,777,216.
    pub fn negative_capacity(mut self, ids: usize) -> Self {
        self.negative_capacity = ids;
        self
    }

    /// Returns for how long others may join a load after it has begun: its result must be of use to
    /// them.
    pub(crate) fn joinable(&self) -> Duration {
        self.max_staleness.min(Duration::from_millis(500))
    }

    /// Returns the time limit of a load. A result older than `max_staleness` would be of no use,
    /// and a load that never ended would take one of the `concurrent_loads` for ever.
    pub(crate) fn load_timeout(&self) -> Duration {
        self.max_staleness.max(self.load_deadline)
    }

    /// Checks the bounds of every setting. They also keep all sums of durations far from overflow.
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
