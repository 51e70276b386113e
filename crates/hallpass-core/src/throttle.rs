//! Limits on log lines and events that any client can cause.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A counter of occurrences, which decides which of them are reported.
#[derive(Debug, Default)]
pub struct Throttle(Mutex<Window>);

/// The occurrences in the current second.
#[derive(Debug, Default)]
struct Window {
    started: Option<Instant>,
    reported: u32,
    suppressed: u64,
}

impl Throttle {
    /// Creates a counter.
    #[must_use]
    pub const fn new() -> Self {
        Self(Mutex::new(Window { started: None, reported: 0, suppressed: 0 }))
    }

    /// Counts one occurrence. If fewer than `limit` were reported in this second, returns the
    /// number to report: this occurrence and those before it that were not reported.
    pub fn count(&self, limit: u32) -> Option<u64> {
        self.count_at(Instant::now(), limit)
    }

    fn count_at(&self, now: Instant, limit: u32) -> Option<u64> {
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = |started| now.duration_since(started) >= Duration::from_secs(1);
        if window.started.is_none_or(is_over) {
            window.started = Some(now);
            window.reported = 0;
        }
        if window.reported >= limit {
            window.suppressed += 1;
            return None;
        }
        window.reported += 1;
        Some(1 + std::mem::take(&mut window.suppressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flood_is_reported_in_few_lines_that_count_all() {
        let (throttle, start) = (Throttle::new(), Instant::now());
        let reported = (0..10_000).filter_map(|_| throttle.count_at(start, 50));
        assert_eq!(reported.collect::<Vec<_>>(), [1; 50]);
        let later = start + Duration::from_secs(1);
        assert_eq!(throttle.count_at(later, 50), Some(9_951));
        assert_eq!(throttle.count_at(later, 50), Some(1));
    }
}
