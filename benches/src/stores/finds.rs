//! Measures lookups by the store and in a bare table.

use std::time::Instant;

use anyhow::{Result, ensure};
use hallpass_core::TokenId;
use hallpass_core::store::TokenStore;

use super::compared::Bare;
use crate::harness::Measured;
use crate::latencies::{Latencies, micros};
use crate::random::Random;

/// Looks random tokens up, by the store and in the bare table in turn. Returns the store's median
/// in microseconds.
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
        // The ids differ, so that neither lookup finds data that the other has just loaded into a
        // cache.
        let [id, other] = [0; 2].map(|_| ids[random.below(ids.len())]);
        let started = Instant::now();
        ensure!(store.get(id).await?.value.is_some(), "{name}: a token was not found");
        let between = Instant::now();
        ensure!(bare.find(other).await?, "{name}: a row was not found");
        let ended = Instant::now();
        // The first lookups still open connections and prepare statements.
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
