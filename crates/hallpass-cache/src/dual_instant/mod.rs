//! Instants on two clocks, and the lease.

mod clock;

use std::time::Duration;

use crate::sync::{AtomicI64, AtomicU64, Ordering};

/// An instant on two clocks: the monotonic clock and the wall clock.
///
/// Neither clock suffices alone. The monotonic clock stops while a machine is suspended, and the
/// wall clock may be set back. In both cases a record would look younger than it is. Instants of
/// different machines are never compared.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DualInstant {
    /// Nanoseconds since an arbitrary instant in the past.
    monotonic: u64,
    /// Nanoseconds since the Unix epoch.
    wall: i64,
}

impl DualInstant {
    /// Returns the current instant.
    pub(crate) fn now() -> Self {
        let (monotonic, wall) = clock::now();
        Self { monotonic, wall }
    }

    /// Returns the current instant faster, for a cache hit. Its wall clock may be a few
    /// milliseconds behind.
    pub(crate) fn coarse_now() -> Self {
        let (monotonic, wall) = clock::coarse_now();
        Self { monotonic, wall }
    }

    /// Packs the instant into two words.
    pub(crate) fn to_words(self) -> [u64; 2] {
        [self.monotonic, self.wall.cast_unsigned()]
    }

    /// Restores an instant from [`to_words`](Self::to_words).
    pub(crate) fn from_words([monotonic, wall]: [u64; 2]) -> Self {
        Self { monotonic, wall: wall.cast_signed() }
    }

    /// Returns whether this instant is earlier than the other one.
    pub(crate) fn is_before(self, other: Self) -> bool {
        self.monotonic < other.monotonic
    }

    /// Returns the time from this instant to `now`: the larger of the differences on the two
    /// clocks.
    pub(crate) fn age(self, now: Self) -> Duration {
        let monotonic = now.monotonic.saturating_sub(self.monotonic);
        let wall = u64::try_from(now.wall.saturating_sub(self.wall)).unwrap_or(0);
        Duration::from_nanos(monotonic.max(wall))
    }
}

/// The lease: the instant up to which this node is known to have applied every change.
#[derive(Debug)]
pub(crate) struct Lease {
    /// The instant on the monotonic clock, or 0 if there is no lease.
    monotonic: AtomicU64,
    wall: AtomicI64,
}

impl Lease {
    /// Creates an empty lease, for a node that has not read the change log yet.
    pub(crate) fn new() -> Self {
        Self { monotonic: AtomicU64::new(0), wall: AtomicI64::new(0) }
    }

    /// Renews the lease. Call this after all changes that were committed before `asked_at` have
    /// been applied.
    ///
    /// The two stores are not one atomic step. A check that reads between them gets the older value
    /// of one clock, which makes the lease look older and never younger. A check that sees the
    /// newer value of either clock also sees the changes, because both are stored with `Release`.
    pub(crate) fn renew(&self, asked_at: DualInstant) {
        self.wall.store(asked_at.wall, Ordering::Release);
        self.monotonic.store(asked_at.monotonic.max(1), Ordering::Release);
    }

    /// Removes the lease.
    pub(crate) fn drop_lease(&self) {
        self.monotonic.store(0, Ordering::Relaxed);
    }

    /// Returns the lease, if there is one.
    pub(crate) fn get(&self) -> Option<DualInstant> {
        let monotonic = self.monotonic.load(Ordering::Acquire);
        if monotonic == 0 {
            return None;
        }
        Some(DualInstant { monotonic, wall: self.wall.load(Ordering::Acquire) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn age_is_the_larger_difference_of_both_clocks() {
        let second = 1_000_000_000;
        let then = DualInstant { monotonic: second, wall: 100 * 1_000_000_000 };
        let after = |monotonic: u64, wall: i64| {
            then.age(DualInstant { monotonic: second + monotonic, wall: then.wall + wall })
        };
        assert_eq!(after(second, 1_000_000_000), Duration::from_secs(1));
        assert_eq!(after(0, 3_600_000_000_000), Duration::from_secs(3600), "suspended");
        assert_eq!(
            after(second, -60_000_000_000),
            Duration::from_secs(1),
            "the clock was set back"
        );
    }

    #[test]
    fn lease_is_held_until_it_is_dropped() {
        let lease = Lease::new();
        assert!(lease.get().is_none());
        for monotonic in [0, 7] {
            lease.renew(DualInstant { monotonic, wall: -5 });
            let start = lease.get().expect("the lease must be held");
            assert_eq!((start.monotonic, start.wall), (monotonic.max(1), -5));
        }
        lease.drop_lease();
        assert!(lease.get().is_none());
    }
}
