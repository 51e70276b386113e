//! The log line for callers that could not be checked. It is written at most once a second.
//!
//! Anyone can cause any number of such checks by sending made-up tokens. One line for each would
//! fill the disk and hide other events.

use std::error::Error;

use hallpass_core::__private::Throttle;

static THROTTLE: Throttle = Throttle::new();

/// Reports that a caller could not be checked.
pub(crate) fn report(cause: Option<&(dyn Error + 'static)>) {
    if let Some(count) = THROTTLE.count(1) {
        tracing::warn!(target: "hallpass", count, cause, "could not check callers, responding with \
            503");
    }
}
