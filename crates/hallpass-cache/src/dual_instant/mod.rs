//! Instants by two clocks, and the lease that is measured in them.

mod clock;

use std::time::Duration;

use crate::sync::{AtomicI64, AtomicU64, Ordering};

/// An instant by two clocks: one that never goes back, and one that goes on while the machine
/// sleeps.
///
/// An instant is never compared with one of another machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DualInstant {
    /// Nanoseconds since some instant before this process started to measure.
    monotonic: u64,
    /// Nanoseconds since the Unix epoch.
    wall: i64,
}

impl DualInstant {
    pub(crate) fn now() -> Self {
        let (monotonic, wall) = clock::now();
        Self { monotonic, wall }
    }

    /// Returns the current instant at less cost, for a hit: the wall clock may be some milliseconds
    /// behind.
    pub(crate) fn coarse_now() -> Self {
        let (monotonic, wall) = clock::coarse_now();
        Self { monotonic, wall }
    }

    pub(crate) fn to_words(self) -> [u64; 2] {
        [self.monotonic, self.wall.cast_unsigned()]
    }

    /// Restores an instant from [`to_words`](Self::to_words).
    pub(crate) fn from_words([monotonic, wall]: [u64; 2]) -> Self {
        Self { monotonic, wall: wall.cast_signed() }
    }

    /// Returns whether this instant is the earlier one.
    pub(crate) fn is_before(self, other: Self) -> bool {
        self.monotonic < other.monotonic
    }

    /// Returns how long ago this instant is: the larger of the two clocks' differences. The
    /// monotonic clock stands still while a machine is suspended; the wall clock may be set back.
    pub(crate) fn age(self, now: Self) -> Duration {
        let monotonic = now.monotonic.saturating_sub(self.monotonic);
        let wall = u64::try_from(now.wall.saturating_sub(self.wall)).unwrap_or(0);
        Duration::from_nanos(monotonic.max(wall))
    }
}

/// The instant up to which this node is known to have applied every change.
#[derive(Debug)]
pub(crate) struct Lease {
    /// 0 if there is no lease.
    monotonic: AtomicU64,
    wall: AtomicI64,
}

impl Lease {
    /// Creates an empty lease: the change log was not read yet.
    pub(crate) fn new() -> Self {
        Self { monotonic: AtomicU64::new(0), wall: AtomicI64::new(0) }
    }

    /// Renews the lease. Call it after every change that was committed before `asked_at` was
    /// applied.
    ///
    /// The two stores are not one step. A check that reads between them gets the older value of one
    /// clock, and so an age that is not smaller. A check that sees the newer value of either clock
    /// also sees the changes.
    pub(crate) fn renew(&self, asked_at: DualInstant) {
        self.wall.store(asked_at.wall, Ordering::Release);
        self.monotonic.store(asked_at.monotonic.max(1), Ordering::Release);
    }

    pub(crate) fn drop_lease(&self) {
        self.monotonic.store(0, Ordering::Relaxed);
    }

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
        assert_eq!(after(second, -60_000_000_000), Duration::from_secs(1), "set back");
    }

    #[test]
    fn lease_is_held_until_it_is_dropped() {
        let lease = Lease::new();
        assert!(lease.get().is_none());
        for monotonic in [0, 7] {
            lease.renew(DualInstant { monotonic, wall: -5 });
            let held = lease.get().expect("it is held");
            assert_eq!((held.monotonic, held.wall), (monotonic.max(1), -5));
        }
        lease.drop_lease();
        assert!(lease.get().is_none());
    }
}
