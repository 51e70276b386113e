//! What is counted, for the facade `metrics`: without the feature of that name nothing is, and
//! nothing of this is left.
//!
//! No label ever holds anything of a token, an owner or a client: each is one of a few words.

#[cfg(feature = "metrics")]
use metrics::{Counter, Unit, counter, describe_counter};

use crate::event::RejectReason;

#[cfg(feature = "metrics")]
const CHECKS: &str = "hallpass_checks_total";
#[cfg(feature = "metrics")]
const REFUSALS: &str = "hallpass_refusals_total";
#[cfg(feature = "metrics")]
const DROPPED: &str = "hallpass_uses_dropped_total";
#[cfg(feature = "metrics")]
const FLUSHED: &str = "hallpass_uses_flushed_total";

/// What one handle's checks are counted by. The recorder is asked for its counters at the first
/// check, not at each.
#[derive(Default)]
pub(crate) struct Metrics {
    #[cfg(feature = "metrics")]
    counters: std::sync::OnceLock<Counters>,
}

impl Metrics {
    /// A check let somebody in.
    #[inline]
    pub(crate) fn accepted(&self) {
        #[cfg(feature = "metrics")]
        self.counters().accepted.increment(1);
    }

    /// A check refused a token.
    #[inline]
    pub(crate) fn refused(&self) {
        #[cfg(feature = "metrics")]
        self.counters().refused.increment(1);
    }

    /// It could not be found out whether a token is good.
    #[inline]
    pub(crate) fn unavailable(&self) {
        #[cfg(feature = "metrics")]
        self.counters().unavailable.increment(1);
    }

    /// Why a token was refused, by a check or by a layer's tripwire.
    #[inline]
    pub(crate) fn rejection(&self, why: RejectReason) {
        #[cfg(feature = "metrics")]
        self.counters().rejections[why as usize].increment(1);
        #[cfg(not(feature = "metrics"))]
        let _ = why;
    }

    #[cfg(feature = "metrics")]
    fn counters(&self) -> &Counters {
        self.counters.get_or_init(Counters::new)
    }
}

/// Uses are lost.
#[inline]
pub(crate) fn uses_dropped(uses: u64) {
    #[cfg(feature = "metrics")]
    counter!(DROPPED).increment(uses);
    #[cfg(not(feature = "metrics"))]
    let _ = uses;
}

/// Uses were given to the store, and it took them.
#[inline]
pub(crate) fn uses_flushed(uses: usize) {
    #[cfg(feature = "metrics")]
    counter!(FLUSHED).increment(uses as u64);
    #[cfg(not(feature = "metrics"))]
    let _ = uses;
}

#[cfg(feature = "metrics")]
struct Counters {
    accepted: Counter,
    refused: Counter,
    unavailable: Counter,
    /// In the order of [`REASONS`].
    rejections: [Counter; REASONS.len()],
}

/// Every reason, in the order in which they are declared.
#[cfg(feature = "metrics")]
const REASONS: [RejectReason; RejectReason::ALL.len()] = RejectReason::ALL;

#[cfg(feature = "metrics")]
impl Counters {
    fn new() -> Self {
        describe_counter!(CHECKS, Unit::Count, "Checks of presented tokens, by outcome");
        describe_counter!(REFUSALS, Unit::Count, "Presented tokens that were refused, by reason");
        describe_counter!(DROPPED, Unit::Count, "Uses of tokens that will never be written");
        describe_counter!(FLUSHED, Unit::Count, "Uses of tokens that the store was given");
        Self {
            accepted: counter!(CHECKS, "outcome" => "accepted"),
            refused: counter!(CHECKS, "outcome" => "refused"),
            unavailable: counter!(CHECKS, "outcome" => "unavailable"),
            rejections: REASONS.map(|why| counter!(REFUSALS, "reason" => why.as_str())),
        }
    }
}

#[cfg(all(test, feature = "metrics"))]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_counter() {
        for (place, why) in REASONS.into_iter().enumerate() {
            assert_eq!(why as usize, place, "{why:?}");
        }
    }
}
