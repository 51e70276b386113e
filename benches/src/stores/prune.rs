//! Measures a prune, and lookups during the prune.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use hallpass_core::jiff::{SignedDuration, Timestamp};
use hallpass_core::store::TokenStore;
use hallpass_core::{Actor, Hallpass, TokenId};

use crate::harness::Measured;
use crate::latencies::{Latencies, micros};
use crate::random::Random;

/// Prunes the `ended` tokens, which expired more than a year ago.
pub(super) async fn add<S: TokenStore + Clone>(
    measured: &mut Measured,
    name: &str,
    store: &S,
    ids: &Arc<[TokenId]>,
    ended: usize,
    calm: Duration,
) -> Result<()> {
    let undisturbed = Finding::begin(store.clone(), Arc::clone(ids));
    tokio::time::sleep(calm).await;
    let undisturbed = undisturbed.end().await?;

    let hallpass = Hallpass::builder(store.clone()).build();
    let before = Timestamp::now() - SignedDuration::from_hours(365 * 24);
    let finding = Finding::begin(store.clone(), Arc::clone(ids));
    let started = Instant::now();
    let pruned = hallpass.prune(&Actor::system("bench"), before).await?;
    let a_second = pruned as f64 / started.elapsed().as_secs_f64();
    let beside = finding.end().await?;
    ensure!(pruned == ended as u64, "{name}: {pruned} tokens were pruned");

    let [without, with] = [undisturbed, beside].map(|times| micros(times.percentile(99)));
    measured.figure(format!("{name}_pruned_per_second"), a_second);
    measured.figure(format!("{name}_find_p99_without_prune_us"), without);
    measured.figure(format!("{name}_find_p99_beside_prune_us"), with);
    measured.ratio(format!("{name}_find_p99_beside_prune_over_without"), with / without);
    Ok(())
}

/// A task that looks tokens up, one after the other.
struct Finding {
    is_over: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<Result<Latencies>>,
}

impl Finding {
    fn begin(store: impl TokenStore, ids: Arc<[TokenId]>) -> Self {
        let is_over = Arc::<AtomicBool>::default();
        let ends = Arc::clone(&is_over);
        let task = tokio::spawn(async move {
            let (mut random, mut times) = (Random::new(9), Latencies::default());
            while !ends.load(Ordering::Relaxed) {
                let id = ids[random.below(ids.len())];
                let started = Instant::now();
                ensure!(
                    store.get(id).await?.value.is_some(),
                    "a token that has not expired was pruned"
                );
                times.push(started.elapsed());
            }
            Ok(times)
        });
        Self { is_over, task }
    }

    async fn end(self) -> Result<Latencies> {
        self.is_over.store(true, Ordering::Relaxed);
        self.task.await?
    }
}
