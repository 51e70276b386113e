//! The source of time, which tests can replace.

use std::fmt;

use jiff::Timestamp;

/// A source of the current time. The default is [`SystemClock`]; a test can supply its own.
pub trait Clock: Send + Sync + fmt::Debug + 'static {
    /// Returns the current time.
    fn now(&self) -> Timestamp;

    /// Returns a time that may be a few milliseconds behind [`now`](Self::now), if that is faster.
    ///
    /// A check of a cached token compares it with the token's expiry.
    fn coarse_now(&self) -> Timestamp {
        self.now()
    }
}

/// The operating system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    /// Returns the time of the last tick of the kernel, which is at most ten milliseconds ago.
    #[cfg(target_os = "linux")]
    fn coarse_now(&self) -> Timestamp {
        use rustix::time::{ClockId, clock_gettime};

        let time = clock_gettime(ClockId::RealtimeCoarse);
        // A second has fewer nanoseconds than an `i32`.
        Timestamp::new(time.tv_sec, time.tv_nsec as i32).unwrap_or_else(|_| self.now())
    }
}
