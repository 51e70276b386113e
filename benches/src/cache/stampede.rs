//! Measures simultaneous requests for a token that is not cached yet.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use futures::future::join_all;
use hallpass_cache::Cached;
use hallpass_core::__private::{Backend as _, Freshness};

use super::store::{CountingStore, ids};
use crate::fixture::runtime;
use crate::harness::Bench;

const CALLERS: usize = 256;

/// Adds `stampede_store_reads`, the maximum number of store reads over several stampedes.
pub(super) fn add(bench: &mut Bench, stampedes: usize) -> Result<()> {
    let runtime = runtime()?;
    let ids = ids(stampedes)?;
    let store = CountingStore::new(&ids, Duration::from_millis(5));
    let cache = Arc::new(Cached::new(store.clone()));
    let mut most = 0;
    for id in ids {
        let before = store.reads();
        runtime.block_on(async {
            let calls = (0..CALLERS).map(|_| {
                let cache = Arc::clone(&cache);
                tokio::spawn(async move {
                    cache.load(id, Freshness::Bounded).await.is_ok_and(|found| found.is_some())
                })
            });
            for answer in join_all(calls).await {
                assert!(answer.expect("a load does not panic"), "every request gets the token");
            }
        });
        most = most.max(store.reads() - before);
    }
    bench.figure("stampede_store_reads", most as f64);
    Ok(())
}
