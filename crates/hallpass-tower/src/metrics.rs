//! The counters of this crate, for the facade `metrics`. Without the feature `metrics`, nothing is
//! counted and these functions are empty.

#[cfg(feature = "metrics")]
use metrics::{Unit, counter, describe_counter};

use crate::rejection::RejectionKind;

#[cfg(feature = "metrics")]
const REJECTED: &str = "hallpass_rejected_requests_total";
#[cfg(feature = "metrics")]
const UNGUARDED: &str = "hallpass_unguarded_requests_total";

/// Describes the counters. Each layer calls it once.
#[inline]
pub(crate) fn describe() {
    #[cfg(feature = "metrics")]
    {
        describe_counter!(REJECTED, Unit::Count, "Rejected requests, by the kind of the response");
        describe_counter!(
            UNGUARDED,
            Unit::Count,
            "Requests to a route without a requirement, by the route's pattern"
        );
    }
}

/// Counts a request that was rejected. The label is one of a few fixed words and contains nothing
/// from the request.
#[inline]
pub(crate) fn count_rejection(kind: &RejectionKind) {
    #[cfg(feature = "metrics")]
    counter!(REJECTED, "kind" => kind.as_str()).increment(1);
    #[cfg(not(feature = "metrics"))]
    let _ = kind;
}

/// Counts a request to a route without a requirement. The label is the route's pattern.
#[inline]
pub(crate) fn count_unguarded(route: &str) {
    #[cfg(feature = "metrics")]
    counter!(UNGUARDED, "route" => route.to_owned()).increment(1);
    #[cfg(not(feature = "metrics"))]
    let _ = route;
}
