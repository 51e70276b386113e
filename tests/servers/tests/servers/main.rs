//! Each server starts, talks, breaks when it is told to, and is gone without a trace afterwards.

mod lives;
mod postgres;
mod proxy;
mod redis;

use std::time::{Duration, Instant};

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(30), "it never was so that {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
