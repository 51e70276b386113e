//! The log line for tokens that could not be checked. It is written at most once a second.
//!
//! Anyone can cause any number of such checks by sending made-up tokens. One line for each would
//! fill the disk and hide other events.

use std::error::Error;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The shortest time between two lines.
const INTERVAL: Duration = Duration::from_secs(1);

/// The time of the last line, and the number of checks that have failed since.
#[derive(Debug)]
struct Throttle {
    last: Option<Instant>,
    suppressed: u64,
}

static THROTTLE: Mutex<Throttle> = Mutex::new(Throttle { last: None, suppressed: 0 });

impl Throttle {
    /// Counts a failed check. Returns how many failed since the last line, if another line is due.
    fn count(&mut self, now: Instant) -> Option<u64> {
        self.suppressed += 1;
        if self.last.is_some_and(|last| now.duration_since(last) < INTERVAL) {
            return None;
        }
        self.last = Some(now);
        Some(std::mem::take(&mut self.suppressed))
    }
}

/// Reports that a caller could not be checked.
pub(crate) fn report(cause: Option<&(dyn Error + 'static)>) {
    let due = THROTTLE.lock().unwrap_or_else(PoisonError::into_inner).count(Instant::now());
    if let Some(count) = due {
        tracing::warn!(target: "hallpass", count, cause, "could not check tokens, responding with \
            503");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_one_line_a_second_with_the_number_of_failed_checks() {
        let mut throttle = Throttle { last: None, suppressed: 0 };
        let start = Instant::now();
        assert_eq!(throttle.count(start), Some(1));
        for _ in 0..1000 {
            assert_eq!(throttle.count(start + INTERVAL / 2), None);
        }
        assert_eq!(throttle.count(start + INTERVAL), Some(1001));
    }
}
