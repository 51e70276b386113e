//! Look-ups, beside bare ones.

use std::time::Instant;

use anyhow::{Result, ensure};
use hallpass_core::TokenId;
use hallpass_core::store::TokenStore;

use super::ground::Bare;
use crate::harness::Measured;
use crate::latencies::{Latencies, micros};
use crate::random::Random;

/// Looks random tokens up, once by the store and once bare, in turn. Answers the median of the
/// store's.
pub(super) async fn add(
    measured: &mut Measured,
    name: &str,
    (store, bare): (&impl TokenStore, &impl Bare),
    ids: &[TokenId],
    rounds: u32,
) -> Result<f64> {
    let mut random = Random::new(5);
    let (mut ours, mut theirs) = (Latencies::default(), Latencies::default());
    for round in 0..rounds + rounds / 10 {
        // Neither profits from what the other one has just brought into a cache.
        let [id, other] = [0; 2].map(|_| ids[random.below(ids.len())]);
        let started = Instant::now();
        ensure!(store.get(id).await?.value.is_some(), "{name}: a token is not there");
        let between = Instant::now();
        ensure!(bare.find(other).await?, "{name}: a row is not there");
        let ended = Instant::now();
        // The first of them meet connections and statements that are not ready yet.
        if round >= rounds / 10 {
            ours.push(between - started);
            theirs.push(ended - between);
        }
    }
    for percent in [50, 99] {
        let [of_ours, of_theirs] = [&ours, &theirs].map(|times| micros(times.percentile(percent)));
        measured.figure(format!("{name}_find_p{percent}_us"), of_ours);
        measured.figure(format!("{name}_bare_find_p{percent}_us"), of_theirs);
        measured.ratio(format!("{name}_find_over_bare_p{percent}"), of_ours / of_theirs);
    }
    Ok(micros(ours.percentile(50)))
}
