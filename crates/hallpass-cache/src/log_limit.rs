//! Log lines that are written at most once a second, regardless of the number of requests that
//! cause them.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The minimum time between two lines.
const PAUSE: Duration = Duration::from_secs(1);

/// A counter of occurrences, which decides when a log line about them is due.
#[derive(Debug, Default)]
pub(crate) struct LogLimit(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    logged_at: Option<Instant>,
    unreported: u64,
}

impl LogLimit {
    /// Counts one occurrence. If a line is due, returns the number of occurrences since the last
    /// line.
    pub(crate) fn count(&self) -> Option<u64> {
        let now = Instant::now();
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.unreported += 1;
        if state.logged_at.is_some_and(|last| now.duration_since(last) < PAUSE) {
            return None;
        }
        state.logged_at = Some(now);
        Some(std::mem::take(&mut state.unreported))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_a_second_reports_all_occurrences() {
        let limit = LogLimit::default();
        assert_eq!(limit.count(), Some(1));
        assert_eq!((limit.count(), limit.count()), (None, None));
        limit.0.lock().unwrap().logged_at = Instant::now().checked_sub(PAUSE);
        assert_eq!(limit.count(), Some(3));
    }
}
