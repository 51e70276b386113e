//! What the operator is told while tokens are used beyond the bound.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use hallpass_core::store::StoreError;

const PAUSE: Duration = Duration::from_secs(1);

/// When it was said last.
#[derive(Debug, Default)]
pub(crate) struct StaleUse(Mutex<Option<Instant>>);

impl StaleUse {
    /// Says so, once a second however many checks there are.
    pub(crate) fn said(&self, error: &StoreError) {
        let now = Instant::now();
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_some_and(|last| now.duration_since(last) < PAUSE) {
            return;
        }
        *last = Some(now);
        drop(last);
        tracing::error!(
            target: "hallpass",
            error = error as &dyn std::error::Error,
            "tokens are used beyond the bound, by the grace that was set: revocations made elsewhere are not seen"
        );
    }
}
