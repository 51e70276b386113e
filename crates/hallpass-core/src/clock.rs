//! The source of time, which tests can replace.

use std::fmt;

use jiff::Timestamp;

/// A source of the current time. The default is [`SystemClock`]; a test can supply its own.
pub trait Clock: Send + Sync + fmt::Debug + 'static {
    /// Returns the current time.
    fn now(&self) -> Timestamp;
}

/// The operating system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
