//! Each server starts, talks, breaks when it is told to, and is gone without a trace afterwards.

mod lives;
mod postgres;
mod proxy;
mod redis;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(30), "it never was so that {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Whether a clock that shows this, in seconds since 1970, is ahead of this machine's by so many.
fn is_ahead(shown: i64, seconds: i64) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
    // The server was asked a moment ago.
    (-10..=0).contains(&(shown - now - seconds))
}
