//! Floods of well-formed tokens that do not exist.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hallpass_core::{Hallpass, Limits};
use hallpass_memory::MemoryStore;
use hallpass_testkit::{FaultyStore, Operation};

use hallpass_tests::nodes::{
    accepts, check, is_rejected, is_unavailable, issue_many, node, settings,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn flood_of_unknown_tokens_does_not_affect_valid_tokens() {
    const RANDOM: usize = 4_000;
    let bound = Duration::from_millis(300);
    let store = FaultyStore::new(MemoryStore::new());
    let hallpass = node(&store, settings().max_staleness(bound));
    let good = issue_many(&hallpass, 20).await;
    for token in &good {
        assert!(accepts(&hallpass, token).await);
    }
    let elsewhere = Hallpass::builder(MemoryStore::new());
    let elsewhere = elsewhere.limits(Limits::default().unlimited_tokens()).build();
    let random = Arc::new(issue_many(&elsewhere, RANDOM).await);
    store.faults().on(Operation::Get).delay(Duration::from_millis(2));
    let asked_before = store.faults().calls(Operation::Get);
    let (began, over) = (Instant::now(), Arc::new(AtomicBool::new(false)));
    let flood: Vec<_> = (0..100)
        .map(|part| {
            let (hallpass, random, over) =
                (hallpass.clone(), Arc::clone(&random), Arc::clone(&over));
            tokio::spawn(async move {
                let mut rejected = 0;
                while !over.load(Ordering::Relaxed) {
                    for token in random.iter().skip(part).step_by(100) {
                        let verdict = check(&hallpass, token).await;
                        assert!(is_rejected(&verdict) || is_unavailable(&verdict), "{verdict:?}");
                        rejected += usize::from(is_rejected(&verdict));
                        tokio::task::yield_now().await;
                    }
                }
                rejected
            })
        })
        .collect();
    // This takes longer than the staleness limit: the lease lets the cache serve the tokens all the
    // time.
    let mut checks = 0;
    while began.elapsed() < bound * 3 {
        for token in &good {
            let verdict = check(&hallpass, token).await;
            assert!(verdict.is_ok(), "{verdict:?} after {checks} checks");
            checks += 1;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    over.store(true, Ordering::Relaxed);
    let mut rejected = 0;
    for part in flood {
        rejected += part.await.unwrap();
    }
    let asked = store.faults().calls(Operation::Get) - asked_before;
    assert!(rejected > RANDOM / 8, "only {rejected} checks were rejected");
    // An unknown token is cached for up to two seconds, unless another one displaces it.
    let times = 1 + began.elapsed().as_secs() / 2;
    let most = (RANDOM + good.len()) as u64 * times + rejected as u64 / 10;
    assert!(asked <= most, "{asked} lookups for {rejected} rejections of {RANDOM} tokens");
}
