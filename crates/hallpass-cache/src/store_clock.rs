//! The difference between the clocks of this machine and of the store.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

/// The difference in milliseconds above which a warning is logged. One of the clocks is then not
/// synchronized.
const TOLERABLE_MILLIS: u64 = 2000;

/// The last known difference between the store's clock and this machine's clock.
#[derive(Debug, Default)]
pub(crate) struct StoreClock {
    /// The difference in milliseconds. It is negative if the store's clock is behind.
    ahead: AtomicI64,
}

impl StoreClock {
    /// Returns how far the store's clock is ahead, or zero if it is behind.
    pub(crate) fn ahead(&self) -> Duration {
        let ahead = self.ahead.load(Ordering::Relaxed);
        Duration::from_millis(u64::try_from(ahead).unwrap_or(0))
    }

    /// Records the time that the store reported in a reply that arrived at `now`. Returns the
    /// difference in seconds.
    ///
    /// The time in transit makes the store's clock look less far ahead than it is. So no token
    /// expires before one of the two clocks has reached its expiry.
    pub(crate) fn learn(&self, time: Timestamp, now: Timestamp) -> f64 {
        let ahead = time.duration_since(now);
        let millis = i64::try_from(ahead.as_millis()).unwrap_or(0);
        let before = self.ahead.swap(millis, Ordering::Relaxed);
        let is_far = |millis: i64| millis.unsigned_abs() > TOLERABLE_MILLIS;
        if is_far(millis) && !is_far(before) {
            tracing::warn!(
                target: "hallpass",
                store_is_ahead_by = %ahead,
                "the clocks of this machine and of the token store differ by seconds, so tokens \
                 expire according to the clock that is ahead: synchronize the clocks"
            );
        }
        ahead.as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn only_a_clock_that_is_ahead_counts() {
        let clock = StoreClock::default();
        let now = Timestamp::from_second(1_000_000).unwrap();
        for (apart, ahead) in [(0, 0), (300, 300), (-300, 0), (1, 1)] {
            assert_eq!(clock.learn(now + SignedDuration::from_secs(apart), now), apart as f64);
            assert_eq!(clock.ahead(), Duration::from_secs(ahead));
        }
        clock.learn(Timestamp::MAX, Timestamp::MIN);
        assert!(clock.ahead() > Duration::from_secs(1));
    }
}
