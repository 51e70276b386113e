//! How much of what is asked the cache has at hand.

use std::time::Duration;

use anyhow::Result;
use hallpass_cache::{CacheSettings, Cached};
use hallpass_core::__private::{Backend as _, Freshness, Lookup};
use hallpass_core::TokenId;
use tokio::runtime::Runtime;

use super::store::{CountingStore, ids};
use crate::harness::Bench;
use crate::ours::runtime;
use crate::random::Random;

/// About what a token weighs: only the first guess of how much room so many tokens need.
const GUESS: u64 = 1024;

/// Junk per valid request.
const JUNK: usize = 9;

struct Trial {
    cache: Cached<CountingStore>,
    store: CountingStore,
    junk: Random,
}

/// What part of the requests for valid tokens the cache answered, and how many tokens it held then.
#[derive(Clone, Copy)]
struct Outcome {
    hits: f64,
    held: usize,
}

/// Each named `hits_over_lfu_EXPONENT_CAPACITY`, of so many tokens and so many requests.
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
            // With so much to ask, for a part of the time.
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

/// With how much room a cache comes to hold so many tokens.
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
        let settings = CacheSettings::default().capacity_bytes(bytes);
        Self { cache: Cached::with_settings(store.clone(), settings), store, junk: Random::new(11) }
    }

    /// Asks for the tokens of these ranks, with so much junk before each; counts from half of them
    /// on.
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
