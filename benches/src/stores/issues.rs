//! Measures the number of tokens issued per second, and the size of their log entries.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use futures::future::try_join_all;
use hallpass_core::store::TokenStore as _;

use super::compared::ComparedBackend;
use super::tokens::{Tokens, event};
use crate::harness::Measured;

/// The maximum number of tokens per owner.
const LIMIT: u32 = 50;

/// Inserts tokens for this long, first one and then eight at a time.
pub(super) async fn add<G: ComparedBackend>(
    measured: &mut Measured,
    (backend, store): (&G, &G::Store),
    tokens: &Tokens,
    from: usize,
    long: Duration,
) -> Result<()> {
    let name = G::NAME;
    let log_before = backend.log_bytes().await?;
    let next = AtomicUsize::new(from);
    for at_once in [1, 8] {
        let (before, started) = (next.load(Ordering::Relaxed), Instant::now());
        let callers = (0..at_once).map(|_| {
            let next = &next;
            async move {
                while started.elapsed() < long {
                    let token = tokens.token(next.fetch_add(1, Ordering::Relaxed))?;
                    store.insert(&token, Some(LIMIT), &event(&token)).await?;
                }
                anyhow::Ok(())
            }
        });
        try_join_all(callers).await?;
        let issued = next.load(Ordering::Relaxed) - before;
        let a_second = issued as f64 / started.elapsed().as_secs_f64();
        measured.figure(format!("{name}_issues_per_second_by_{at_once}"), a_second);
    }
    let log = backend.log_bytes().await?.saturating_sub(log_before);
    let entries = next.load(Ordering::Relaxed) - from;
    measured.figure(format!("{name}_bytes_per_entry"), log as f64 / entries as f64);
    Ok(())
}
