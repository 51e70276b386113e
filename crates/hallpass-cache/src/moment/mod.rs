mod clock;

use std::time::Duration;

use crate::sync::{AtomicI64, AtomicU64, Ordering};

/// An instant by two clocks: one that never goes back, and one that goes on while the machine sleeps.
///
/// No instant is ever compared with one of another machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// Nanoseconds since some time before this process looked first.
    monotonic: u64,
    /// Nanoseconds since the Unix epoch.
    wall: i64,
}

impl Moment {
    pub(crate) fn now() -> Self {
        let (monotonic, wall) = clock::now();
        Self { monotonic, wall }
    }

    /// The same for a hit, at less cost: only the wall clock may be some milliseconds behind.
    pub(crate) fn glance() -> Self {
        let (monotonic, wall) = clock::glance();
        Self { monotonic, wall }
    }

    pub(crate) fn to_words(self) -> [u64; 2] {
        [self.monotonic, self.wall.cast_unsigned()]
    }

    /// Takes back what [`to_words`](Self::to_words) gave.
    pub(crate) fn from_words([monotonic, wall]: [u64; 2]) -> Self {
        Self { monotonic, wall: wall.cast_signed() }
    }

    /// Whether it is the earlier of the two.
    pub(crate) fn is_before(self, other: Self) -> bool {
        self.monotonic < other.monotonic
    }

    /// How old what was true then may be: the larger of what both clocks say. The monotonic one stands still
    /// while a machine is suspended; the other may be set back.
    pub(crate) fn age(self, now: Self) -> Duration {
        let wall = u64::try_from(now.wall.saturating_sub(self.wall)).unwrap_or(0);
        self.time_awake(now).max(Duration::from_nanos(wall))
    }

    /// What the monotonic clock alone says.
    pub(crate) fn time_awake(self, now: Self) -> Duration {
        Duration::from_nanos(now.monotonic.saturating_sub(self.monotonic))
    }
}

/// The instant up to which this node is known to have seen every change.
#[derive(Debug)]
pub(crate) struct Lease {
    /// 0 if there is none.
    monotonic: AtomicU64,
    wall: AtomicI64,
}

impl Lease {
    /// No lease: nothing was followed yet.
    pub(crate) fn none() -> Self {
        Self { monotonic: AtomicU64::new(0), wall: AtomicI64::new(0) }
    }

    /// Renews the lease, after every change that was asked for then has been applied. Two stores are
    /// no one step: whoever reads between them gets the older of one clock, and so no smaller an age. Who sees
    /// the newer of either sees the changes.
    pub(crate) fn renew(&self, asked_at: Moment) {
        self.wall.store(asked_at.wall, Ordering::Release);
        self.monotonic.store(asked_at.monotonic.max(1), Ordering::Release);
    }

    pub(crate) fn give_up(&self) {
        self.monotonic.store(0, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> Option<Moment> {
        let monotonic = self.monotonic.load(Ordering::Acquire);
        if monotonic == 0 {
            return None;
        }
        Some(Moment { monotonic, wall: self.wall.load(Ordering::Acquire) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn age_is_what_the_clock_that_ran_further_says() {
        let second = 1_000_000_000;
        let then = Moment { monotonic: second, wall: 100 * 1_000_000_000 };
        let after = |monotonic: u64, wall: i64| {
            then.age(Moment { monotonic: second + monotonic, wall: then.wall + wall })
        };
        assert_eq!(after(second, 1_000_000_000), Duration::from_secs(1));
        assert_eq!(after(0, 3_600_000_000_000), Duration::from_secs(3600), "suspended");
        assert_eq!(after(second, -60_000_000_000), Duration::from_secs(1), "set back");
    }

    #[test]
    fn a_lease_is_held_from_its_first_renewal_until_it_is_given_up() {
        let lease = Lease::none();
        assert!(lease.get().is_none());
        for monotonic in [0, 7] {
            lease.renew(Moment { monotonic, wall: -5 });
            let held = lease.get().expect("it is held");
            assert_eq!((held.monotonic, held.wall), (monotonic.max(1), -5));
        }
        lease.give_up();
        assert!(lease.get().is_none());
    }
}
