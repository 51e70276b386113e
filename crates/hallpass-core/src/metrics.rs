//! Counters for the facade `metrics`. Without the feature `metrics`, every function here is empty.
//!
//! Each label has one of a few fixed values. No label contains data of a token, owner or client.

#![cfg_attr(
    not(feature = "metrics"),
    expect(dead_code, unused_variables, reason = "some items are used only to count")
)]

use std::time::Duration;

#[cfg(feature = "metrics")]
use metrics::{Counter, Histogram, Unit, counter, describe_counter, describe_histogram, histogram};

use crate::event::RejectReason;

const CHECKS: &str = "hallpass_checks_total";
const LOOKUPS: &str = "hallpass_lookup_duration_seconds";
const REFUSALS: &str = "hallpass_refusals_total";
const DROPPED: &str = "hallpass_uses_dropped_total";
const FLUSHED: &str = "hallpass_uses_flushed_total";

/// The outcome of a check.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outcome {
    Accepted,
    Refused,
    Unavailable,
}

/// The counters for the checks of one handle. They are looked up in the recorder once, at the first
/// check.
#[derive(Default)]
pub(crate) struct Metrics {
    #[cfg(feature = "metrics")]
    counters: std::sync::OnceLock<Counters>,
}

impl Metrics {
    /// Counts a check that accepted a token.
    #[inline]
    pub(crate) fn accepted(&self) {
        #[cfg(feature = "metrics")]
        self.counters().accepted.increment(1);
    }

    /// Counts a check that rejected a token.
    #[inline]
    pub(crate) fn refused(&self) {
        #[cfg(feature = "metrics")]
        self.counters().refused.increment(1);
    }

    /// Counts a check that could not be completed because the store or the host failed.
    #[inline]
    pub(crate) fn unavailable(&self) {
        #[cfg(feature = "metrics")]
        self.counters().unavailable.increment(1);
    }

    /// Records the duration of a check that was not completed by a cache hit.
    #[inline]
    pub(crate) fn looked_up(&self, outcome: Outcome, took: Duration) {
        #[cfg(feature = "metrics")]
        self.counters().lookups[outcome as usize].record(took);
    }

    /// Counts the reason for which a request was rejected.
    #[inline]
    pub(crate) fn rejection(&self, why: RejectReason) {
        #[cfg(feature = "metrics")]
        self.counters().rejections[why as usize].increment(1);
    }

    #[cfg(feature = "metrics")]
    fn counters(&self) -> &Counters {
        self.counters.get_or_init(Counters::new)
    }
}

/// Counts uses that will never be written.
#[inline]
pub(crate) fn uses_dropped(uses: u64) {
    #[cfg(feature = "metrics")]
    counter!(DROPPED).increment(uses);
}

/// Counts uses that were written to the store.
#[inline]
pub(crate) fn uses_flushed(uses: usize) {
    #[cfg(feature = "metrics")]
    counter!(FLUSHED).increment(uses as u64);
}

#[cfg(feature = "metrics")]
struct Counters {
    accepted: Counter,
    refused: Counter,
    unavailable: Counter,
    /// One histogram for each [`Outcome`], in the same order.
    lookups: [Histogram; 3],
    /// One counter for each of [`RejectReason::ALL`], in the same order.
    rejections: [Counter; RejectReason::ALL.len()],
}

#[cfg(feature = "metrics")]
impl Counters {
    fn new() -> Self {
        describe_counter!(CHECKS, Unit::Count, "Checks of presented tokens, by outcome");
        describe_histogram!(
            LOOKUPS,
            Unit::Seconds,
            "Durations of the checks that were not completed by a cache hit, by outcome"
        );
        describe_counter!(REFUSALS, Unit::Count, "Rejected tokens and calls, by reason");
        describe_counter!(DROPPED, Unit::Count, "Uses of tokens that will never be written");
        describe_counter!(FLUSHED, Unit::Count, "Uses of tokens that were written to the store");
        Self {
            accepted: counter!(CHECKS, "outcome" => "accepted"),
            refused: counter!(CHECKS, "outcome" => "refused"),
            unavailable: counter!(CHECKS, "outcome" => "unavailable"),
            lookups: ["accepted", "refused", "unavailable"]
                .map(|outcome| histogram!(LOOKUPS, "outcome" => outcome)),
            rejections: RejectReason::ALL.map(|why| counter!(REFUSALS, "reason" => why.as_str())),
        }
    }
}

#[cfg(all(test, feature = "metrics"))]
mod tests {
    use super::*;

    #[test]
    fn every_reject_reason_has_a_counter() {
        for (place, why) in RejectReason::ALL.into_iter().enumerate() {
            assert_eq!(why as usize, place, "{why:?}");
        }
    }
}
