//! Readings of the monotonic clock and the wall clock, in nanoseconds.

pub(super) use self::system::{coarse_now, now};

#[cfg(target_os = "linux")]
mod system {
    use rustix::time::{ClockId, Timespec, clock_gettime};

    pub(crate) fn now() -> (u64, i64) {
        both(ClockId::Realtime)
    }

    /// Returns the exact monotonic clock, and the coarse wall clock, which is a few milliseconds
    /// behind.
    ///
    /// The wall clock only has to show whether the machine was suspended, so the coarse one
    /// suffices and is faster. The coarse monotonic clock is not used, because it lags by more than
    /// its resolution.
    pub(crate) fn coarse_now() -> (u64, i64) {
        both(ClockId::RealtimeCoarse)
    }

    fn both(wall: ClockId) -> (u64, i64) {
        // After the year 2262 the wall clock stays at its maximum, and the monotonic clock
        // continues.
        let nanos =
            |time: Timespec| time.tv_sec.saturating_mul(1_000_000_000).saturating_add(time.tv_nsec);
        let monotonic = nanos(clock_gettime(ClockId::Monotonic));
        (u64::try_from(monotonic).unwrap_or(0), nanos(clock_gettime(wall)))
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::sync::LazyLock;
    use std::time::{Instant, SystemTime, UNIX_EPOCH};

    static START: LazyLock<Instant> = LazyLock::new(Instant::now);

    pub(crate) fn now() -> (u64, i64) {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        let monotonic = u64::try_from(START.elapsed().as_nanos()).unwrap_or(u64::MAX);
        (monotonic, i64::try_from(wall).unwrap_or(i64::MAX))
    }

    pub(crate) fn coarse_now() -> (u64, i64) {
        now()
    }
}
