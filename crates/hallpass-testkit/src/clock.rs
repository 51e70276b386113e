//! A clock that a test sets.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use hallpass_core::{Clock, SystemClock};
use jiff::{Timestamp, TimestampArithmetic};

/// A clock that stands still until a test moves it. Clones show the same time.
///
/// ```
/// use std::time::Duration;
///
/// use hallpass_core::{Actor, Clock as _, Hallpass, NewToken};
/// use hallpass_memory::MemoryStore;
/// use hallpass_testkit::ManualClock;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), hallpass_core::Error> {
/// let clock = ManualClock::starting_at("2027-01-01T00:00:00Z".parse().unwrap());
/// let hallpass = Hallpass::builder(MemoryStore::new()).clock(clock.clone()).build();
/// let new = NewToken::named("ci").expires("1h");
/// let issued = hallpass.issue(&Actor::owner("alice"), new).await?;
///
/// clock.advance(Duration::from_mins(59));
/// assert!(hallpass.authenticate(issued.token.reveal().as_bytes()).await.is_ok());
/// clock.advance(Duration::from_mins(1));
/// assert!(hallpass.authenticate(issued.token.reveal().as_bytes()).await.is_err());
/// assert_eq!(clock.now().to_string(), "2027-01-01T01:00:00Z");
/// # Ok(()) }
/// ```
///
/// The clock decides when tokens are issued, used and expired. A cache's maximum staleness and all
/// deadlines use the machine's own time.
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    /// Creates a clock that shows the current time.
    #[must_use]
    pub fn new() -> Self {
        Self::starting_at(SystemClock.now())
    }

    /// Creates a clock that shows this time, cut to the millisecond.
    #[must_use]
    pub fn starting_at(time: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(time.as_millisecond())))
    }

    /// Sets the time, which may be earlier than before.
    pub fn set(&self, time: Timestamp) {
        self.0.store(time.as_millisecond(), Ordering::SeqCst);
    }

    /// Moves the clock by a [`std::time::Duration`], or by anything else that jiff can add to a
    /// time. A negative span moves it back.
    ///
    /// # Panics
    ///
    /// Panics if the result is outside the years -9999 to 9999, or if the span has days or longer
    /// units, which have no fixed length.
    #[track_caller]
    pub fn advance(&self, span: impl Into<TimestampArithmetic>) {
        match self.now().checked_add(span) {
            Ok(time) => self.set(time),
            Err(error) => panic!("the clock cannot be moved by this span: {error}"),
        }
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::SeqCst))
            .expect("the clock was set to a valid timestamp")
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, ToSpan as _};

    use super::*;

    fn clock() -> ManualClock {
        ManualClock::starting_at("2027-01-01T00:00:00.0009Z".parse().unwrap())
    }

    #[test]
    fn clones_show_the_same_time_until_it_is_set() {
        let (here, there) = (clock(), ManualClock::new());
        assert_eq!(here.now().to_string(), "2027-01-01T00:00:00Z", "cut to the millisecond");
        let before = there.now();
        here.clone().set(before);
        assert_eq!((here.now(), there.now()), (before, before));
    }

    #[test]
    fn clock_moves_by_any_span_of_fixed_length() {
        let clock = clock();
        clock.advance(std::time::Duration::from_millis(1));
        clock.advance(SignedDuration::from_secs(2));
        clock.advance(3.hours());
        assert_eq!(clock.now().to_string(), "2027-01-01T03:00:02.001Z");
        clock.advance(SignedDuration::from_hours(-3));
        assert_eq!(clock.now().to_string(), "2027-01-01T00:00:02.001Z");
    }

    #[test]
    #[should_panic(expected = "the clock cannot be moved by this span")]
    fn span_of_days_panics() {
        clock().advance(1.day());
    }
}
