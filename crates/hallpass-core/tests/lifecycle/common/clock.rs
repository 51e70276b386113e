use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use hallpass_core::Clock;
use jiff::{SignedDuration, Timestamp};

/// When every test begins.
pub(crate) const START: &str = "2027-01-01T00:00:00Z";

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A clock that stands still until it is moved. Clones show the same time.
#[derive(Clone, Debug)]
pub(crate) struct HandClock(Arc<AtomicI64>);

impl Default for HandClock {
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(at(START).as_millisecond())))
    }
}

impl HandClock {
    pub(crate) fn set(&self, time: Timestamp) {
        self.0.store(time.as_millisecond(), Ordering::SeqCst);
    }

    pub(crate) fn advance(&self, span: SignedDuration) {
        self.set(self.now() + span);
    }

    pub(crate) fn advance_minutes(&self, minutes: i64) {
        self.advance(SignedDuration::from_mins(minutes));
    }

    pub(crate) fn advance_days(&self, days: i64) {
        self.advance(SignedDuration::from_hours(days * 24));
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).unwrap()
    }
}
