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
const DURATIONS: &str = "hallpass_lookup_duration_seconds";
const REJECTIONS: &str = "hallpass_rejections_total";
const DROPPED: &str = "hallpass_uses_dropped_total";
const FLUSHED: &str = "hallpass_uses_flushed_total";

/// The outcome of a check.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outcome {
    /// The token is valid.
    Accepted,
    /// The token is not valid.
    Rejected,
    /// The check could not be completed because the store or the host failed.
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
    /// Counts a check of a token.
    #[inline]
    pub(crate) fn count_check(&self, outcome: Outcome) {
        #[cfg(feature = "metrics")]
        self.counters().checks[outcome as usize].increment(1);
    }

    /// Records the duration of a check that was not completed by a cache hit.
    #[inline]
    pub(crate) fn record_duration(&self, outcome: Outcome, duration: Duration) {
        #[cfg(feature = "metrics")]
        self.counters().durations[outcome as usize].record(duration);
    }

    /// Counts a rejected token or call by its reason.
    #[inline]
    pub(crate) fn count_rejection(&self, reason: RejectReason) {
        #[cfg(feature = "metrics")]
        self.counters().rejections[reason as usize].increment(1);
    }

    #[cfg(feature = "metrics")]
    fn counters(&self) -> &Counters {
        self.counters.get_or_init(Counters::new)
    }
}

/// Counts uses of tokens that will never be written to the store.
#[inline]
pub(crate) fn count_dropped_uses(uses: u64) {
    #[cfg(feature = "metrics")]
    counter!(DROPPED).increment(uses);
}

/// Counts uses of tokens that were written to the store.
#[inline]
pub(crate) fn count_flushed_uses(uses: usize) {
    #[cfg(feature = "metrics")]
    counter!(FLUSHED).increment(uses as u64);
}

#[cfg(feature = "metrics")]
struct Counters {
    checks: [Counter; OUTCOMES.len()],
    durations: [Histogram; OUTCOMES.len()],
    rejections: [Counter; RejectReason::ALL.len()],
}

/// The values of the label `outcome`, in the order of [`Outcome`].
const OUTCOMES: [&str; 3] = ["accepted", "rejected", "unavailable"];

#[cfg(feature = "metrics")]
impl Counters {
    fn new() -> Self {
        describe_counter!(CHECKS, Unit::Count, "Checks of presented tokens, by outcome");
        describe_histogram!(
            DURATIONS,
            Unit::Seconds,
            "Durations of the checks that were not completed by a cache hit, by outcome"
        );
        describe_counter!(REJECTIONS, Unit::Count, "Rejected tokens and calls, by reason");
        describe_counter!(DROPPED, Unit::Count, "Uses of tokens that will never be written");
        describe_counter!(FLUSHED, Unit::Count, "Uses of tokens that were written to the store");
        Self {
            checks: OUTCOMES.map(|outcome| counter!(CHECKS, "outcome" => outcome)),
            durations: OUTCOMES.map(|outcome| histogram!(DURATIONS, "outcome" => outcome)),
            rejections: RejectReason::ALL
                .map(|reason| counter!(REJECTIONS, "reason" => reason.as_str())),
        }
    }
}
