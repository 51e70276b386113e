//! Adds the results of one kind of revocation to the report.

use std::time::Duration;

use super::window::Outcome;
use crate::harness::Measured;
use crate::latencies::{Latencies, millis};

/// Adds the percentiles under this name, and each violation of the promised bound. Returns the
/// longest time until the last acceptance.
pub(super) fn add_outcomes(
    measured: &mut Measured,
    name: &str,
    outcomes: &[Outcome],
    promised: Option<Duration>,
) -> Duration {
    let last: Latencies = outcomes.iter().map(|outcome| outcome.last).collect();
    let took: Latencies = outcomes.iter().map(|outcome| outcome.took).collect();
    let longest = last.percentile(100);
    measured.figure(format!("{name}_p50_ms"), millis(last.percentile(50)));
    measured.figure(format!("{name}_p99_ms"), millis(last.percentile(99)));
    measured.figure(format!("{name}_max_ms"), millis(longest));
    measured.figure(format!("{name}_revoke_p50_ms"), millis(took.percentile(50)));
    let own: u32 = outcomes.iter().map(|outcome| outcome.own).sum();
    measured.figure(format!("{name}_own_acceptances"), f64::from(own));
    if let Some(bound) = promised {
        if own > 0 {
            measured.broken.push(format!("{name}: a node accepted a token that it had revoked"));
        }
        if longest > bound {
            measured
                .broken
                .push(format!("{name}: accepted {longest:?} after the revocation, which exceeds the bound of {bound:?}"));
        }
    }
    longest
}
