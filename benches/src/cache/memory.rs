//! Measures the memory of cached tokens: the bytes that were allocated and not released.

use std::hash::RandomState;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use hallpass_cache::{CacheSettings, Cached};
use hallpass_core::__private::{Backend as _, Freshness};
use hallpass_core::TokenId;
use moka::sync::Cache;
use tokio::runtime::Builder;

use super::store::{CountingStore, ids};
use crate::harness::Bench;

/// A capacity in bytes that is larger than all tokens need.
const ROOM: u64 = 1 << 32;

pub(super) fn add(bench: &mut Bench, tokens: usize) -> Result<()> {
    // Allocations are counted per thread, so everything must run on one.
    let runtime = Builder::new_current_thread().enable_time().build()?;
    let ids = ids(tokens)?;
    let store = CountingStore::new(&ids, Duration::ZERO);
    let cached = |settings: CacheSettings| Cached::with_settings(store.clone(), settings);
    let each = |bytes: i64| bytes as f64 / tokens as f64;

    let (cache, fixed) = kept(|| cached(CacheSettings::default().capacity_bytes(ROOM)));
    let ((), all) = kept(|| {
        runtime.block_on(async {
            for id in &ids {
                assert!(
                    cache.load(*id, Freshness::Bounded).await.is_ok_and(|found| found.is_some())
                );
            }
        });
    });
    // The same number of entries in moka alone, with values that take next to no memory.
    let (_, moka) = kept(|| {
        let nothing = Arc::new(());
        let cache: Cache<TokenId, Arc<()>, RandomState> = Cache::builder()
            .max_capacity(ROOM)
            .weigher(|_, _| 512)
            .build_with_hasher(RandomState::new());
        for id in &ids {
            cache.insert(*id, Arc::clone(&nothing));
        }
        cache.run_pending_tasks();
        cache
    });
    bench.figure("bytes_per_cached_token", each(all));
    bench.figure("bytes_per_cached_token_by_moka", each(moka));
    bench.figure("bytes_per_cached_token_without_moka", each(all - moka));
    bench.figure("bytes_of_empty_cache", fixed as f64);

    let unknown = CacheSettings::default().negative_capacity(tokens);
    let twice = CacheSettings::default().negative_capacity(2 * tokens);
    let ((_, few), (_, many)) = (kept(|| cached(unknown)), kept(|| cached(twice)));
    bench.figure("bytes_per_unknown_token", each(many - few));
    Ok(())
}

/// Returns a new value and the number of bytes that stay allocated for it.
fn kept<T>(make: impl FnOnce() -> T) -> (T, i64) {
    let mut made = None;
    let counted = allocation_counter::measure(|| made = Some(make()));
    (made.expect("the closure ran"), counted.bytes_current)
}
