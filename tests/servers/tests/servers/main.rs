//! Tests that each server starts, responds, fails on request, and leaves nothing behind.

mod lifetime;
mod postgres;
mod proxy;
mod redis;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(30), "timed out waiting until {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Returns whether a clock that shows `shown`, in seconds since 1970, is ahead of this machine's
/// clock by `seconds`.
fn is_ahead(shown: i64, seconds: i64) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
    // The server returned its time up to a few seconds ago.
    (-10..=0).contains(&(shown - now - seconds))
}
