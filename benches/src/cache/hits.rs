//! Measures the hit ratio of the cache.

use std::time::Duration;

use anyhow::Result;
use hallpass_cache::{CacheSettings, Cached};
use hallpass_core::__private::{Backend as _, Freshness, Lookup};
use hallpass_core::TokenId;
use tokio::runtime::Runtime;

use super::store::{CountingStore, ids};
use crate::fixture::runtime;
use crate::harness::Bench;
use crate::random::Random;

/// The assumed weight of a cached token in bytes. It is only the first guess of [`bytes_for`].
const GUESS: u64 = 1024;

/// The number of junk requests before each valid one.
const JUNK: usize = 9;

struct Trial {
    cache: Cached<CountingStore>,
    store: CountingStore,
    junk: Random,
}

/// The share of valid requests that were cache hits, and the number of cached tokens at the end.
#[derive(Clone, Copy)]
struct Outcome {
    hits: f64,
    held: usize,
}

/// Adds the figures `hits_EXPONENT_CAPACITY` and the ratios `hits_over_lfu_EXPONENT_CAPACITY`.
pub(super) fn add(bench: &mut Bench, tokens: usize, requests: usize) -> Result<()> {
    let runtime = runtime()?;
    let ids = ids(tokens)?;
    for (exponent, part, name) in [
        (0.8, 100, "zipf_0.8_1_percent"),
        (0.8, 10, "zipf_0.8_10_percent"),
        (1.0, 100, "zipf_1.0_1_percent"),
        (1.0, 10, "zipf_1.0_10_percent"),
    ] {
        let trace: Vec<u32> = Random::new(7).zipf(tokens, exponent).take(2 * requests).collect();
        let bytes = bytes_for(&runtime, &ids, &trace[..requests], tokens / part);
        let outcome = Trial::new(&ids, bytes).run(&runtime, &ids, &trace, 0);
        let top = trace[requests..].iter().filter(|rank| (**rank as usize) < outcome.held);
        let by_lfu = top.count() as f64 / requests as f64;
        bench.figure(format!("hits_{name}"), outcome.hits);
        bench.told(format!("hits_over_lfu_{name}"), outcome.hits / by_lfu);
        if (exponent, part) == (1.0, 10) {
            // Half of the trace is enough here, because each valid request comes with nine junk
            // requests.
            let trace = &trace[..requests];
            let [clean, flooded] =
                [0, JUNK].map(|junk| Trial::new(&ids, bytes).run(&runtime, &ids, trace, junk).hits);
            bench.figure("hits_without_junk", clean);
            bench.figure("hits_under_junk", flooded);
            bench.figure("hits_lost_to_junk_points", (clean - flooded) * 100.0);
        }
    }
    Ok(())
}

/// Returns the capacity in bytes with which the cache holds `wanted` tokens.
fn bytes_for(runtime: &Runtime, ids: &[TokenId], trace: &[u32], wanted: usize) -> u64 {
    let mut bytes = GUESS * wanted as u64;
    for _ in 0..2 {
        let outcome = Trial::new(ids, bytes).run(runtime, ids, trace, 0);
        bytes = (bytes as f64 * wanted as f64 / outcome.held.max(1) as f64) as u64;
    }
    bytes
}

impl Trial {
    fn new(ids: &[TokenId], bytes: u64) -> Self {
        let store = CountingStore::new(ids, Duration::ZERO);
        // A trial may take minutes. A token that is read again because of its age was not evicted.
        let settings =
            CacheSettings::default().capacity_bytes(bytes).max_age(Duration::from_secs(3_600));
        Self { cache: Cached::with_settings(store.clone(), settings), store, junk: Random::new(11) }
    }

    /// Loads the tokens of these ranks, with `junk` unknown tokens before each. The first half of
    /// the trace warms the cache up and is not counted.
    fn run(mut self, runtime: &Runtime, ids: &[TokenId], trace: &[u32], junk: usize) -> Outcome {
        let (warm, counted) = trace.split_at(trace.len() / 2);
        runtime.block_on(tokio::task::unconstrained(async {
            self.ask(ids, warm, junk).await;
            let before = self.store.reads();
            self.ask(ids, counted, junk).await;
            let misses = (self.store.reads() - before) as f64;
            let held = |id: &&TokenId| matches!(self.cache.peek(**id), Lookup::Hit(_));
            let held = ids.iter().filter(held).count();
            Outcome { hits: 1.0 - misses / counted.len() as f64, held }
        }))
    }

    async fn ask(&mut self, ids: &[TokenId], ranks: &[u32], junk: usize) {
        for rank in ranks {
            for _ in 0..junk {
                let id = u128::from(self.junk.next()) << 64 | u128::from(self.junk.next());
                let found = self
                    .cache
                    .load(TokenId::from_uuid(uuid::Uuid::from_u128(id)), Freshness::Bounded)
                    .await;
                assert!(matches!(found, Ok(None)));
            }
            let found = self.cache.load(ids[*rank as usize], Freshness::Bounded).await;
            assert!(matches!(found, Ok(Some(_))));
        }
    }
}
