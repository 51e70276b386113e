use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use hallpass_core::Clock;
use jiff::Timestamp;

/// A clock that stands at 2026-11-22T04:44:57Z until a test moves it.
#[derive(Clone, Debug)]
pub(crate) struct TestClock(Arc<AtomicI64>);

impl Default for TestClock {
    fn default() -> Self {
        let start: Timestamp = "2026-11-22T04:44:57Z".parse().unwrap();
        Self(Arc::new(AtomicI64::new(start.as_second())))
    }
}

impl TestClock {
    pub(crate) fn advance_days(&self, days: i64) {
        self.0.fetch_add(days * 24 * 3600, Ordering::Relaxed);
    }

    pub(crate) fn advance_seconds(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::Relaxed)).unwrap()
    }
}
