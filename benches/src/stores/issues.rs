//! Measures the number of tokens issued per second.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use futures::future::try_join_all;
use hallpass_core::store::TokenStore;

use super::tokens::Tokens;
use crate::harness::Measured;

/// The maximum number of tokens per owner.
const LIMIT: u32 = 50;

/// Inserts tokens for this long, first one and then eight at a time.
pub(super) async fn add(
    measured: &mut Measured,
    name: &str,
    store: &impl TokenStore,
    tokens: &Tokens,
    from: usize,
    long: Duration,
) -> Result<()> {
    let next = AtomicUsize::new(from);
    for at_once in [1, 8] {
        let (before, started) = (next.load(Ordering::Relaxed), Instant::now());
        let callers = (0..at_once).map(|_| {
            let next = &next;
            async move {
                while started.elapsed() < long {
                    let token = tokens.token(next.fetch_add(1, Ordering::Relaxed))?;
                    store.insert(&token, Some(LIMIT), &super::tokens::event()).await?;
                }
                anyhow::Ok(())
            }
        });
        try_join_all(callers).await?;
        let issued = next.load(Ordering::Relaxed) - before;
        let a_second = issued as f64 / started.elapsed().as_secs_f64();
        measured.figure(format!("{name}_issues_per_second_by_{at_once}"), a_second);
    }
    Ok(())
}
