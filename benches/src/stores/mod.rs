//! `stores`: measures the size of tokens in each store, and the time to find, list, issue and prune
//! them, as the store grows by a factor of ten, twice.
//!
//! Each server also has a `bare` table with the same columns and only a primary key, which is
//! queried directly. Tokens are written into the tables without the store, because one insert at a
//! time would take too long. The store must find them.
//!
//! - `*_bytes_per_token`: the size with all indexes, without the change log.
//! - `*_bytes_per_entry`: the size of a log entry about the issue of a token, with all indexes.
//! - `*_find_*`: the time of one lookup of a random token, by the store and in the bare table in
//!   turn. `*_find_growth` is the median at the full size divided by that at the smallest.
//! - `*_list_*`: the time to read 20 tokens and the total number: an owner's list, and the first
//!   and the thousandth page of an admin's list.
//! - `*_issues_per_second_by_*`: the throughput with one or eight concurrent callers.
//! - `*_find_p99_beside_prune_*`: the time of a lookup while many expired tokens are pruned.
//! - `*_use*`: three nodes check 5,000 tokens as fast as they can, and all nodes write the recorded
//!   uses at the same time. The clock is advanced before each flush, so that each use has to be
//!   written. The comparison is one `UPDATE` per request under the same load.

mod compared;
mod finds;
mod issues;
mod lists;
mod postgres;
mod prune;
mod redis;
mod rows;
mod sqlite;
mod tokens;
mod uses;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use hallpass_core::TokenId;
use hallpass_core::store::{StoredToken, TokenStore};
use tokio::runtime::Builder;

use self::compared::{Bare, ComparedBackend};
use self::tokens::Tokens;
use crate::backend::{Kind, PostgresBackend, RedisBackend, SqliteBackend};
use crate::harness::Measured;
use crate::{Scale, Stores};

/// The number of tokens that are written to a store in one batch.
const BATCH: usize = 5_000;

/// The amount of work for each store.
#[derive(Clone, Copy)]
struct Plan {
    tokens: usize,
    rounds: u32,
    ended: usize,
    /// The duration of measurements that have no end of their own.
    long: Duration,
    uses: uses::Plan,
}

pub(crate) fn measure(scale: Scale, rounds: u32, stores: Stores<'_>) -> Result<Measured> {
    let long = scale.either(Duration::from_secs(2), Duration::from_millis(200));
    let plan = Plan {
        tokens: stores.tokens,
        rounds,
        // A fifth of the other tokens: 200,000 at the full size.
        ended: stores.tokens / 5,
        long,
        uses: uses::Plan { tokens: scale.of(5_000), interval: long },
    };
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut measured = Measured::default();
    for kind in stores.kinds {
        runtime.block_on(async {
            match kind {
                Kind::Sqlite => add(&mut measured, &SqliteBackend::new()?, plan).await,
                Kind::Postgres => add(&mut measured, &PostgresBackend::new()?, plan).await,
                Kind::Redis => add(&mut measured, &RedisBackend::new()?, plan).await,
            }
        })?;
    }
    Ok(measured)
}

async fn add<G: ComparedBackend>(measured: &mut Measured, backend: &G, plan: Plan) -> Result<()> {
    let name = G::NAME;
    let store = backend.open(None).await?;
    let bare = backend.bare().await?;
    let tokens = Tokens::new(plan.tokens)?;
    let mut grown = Grown::default();
    let mut medians = Vec::new();
    for size in [plan.tokens / 100, plan.tokens / 10, plan.tokens] {
        grown.grow(backend, (&store, &bare), &tokens, size).await?;
        let name = format!("{name}_{}", in_words(size));
        let [ours, theirs] =
            [grown.bytes, grown.bare_bytes].map(|bytes| bytes as f64 / size as f64);
        measured.figure(format!("{name}_bytes_per_token"), ours);
        measured.figure(format!("{name}_bare_bytes_per_token"), theirs);
        measured.ratio(format!("{name}_bytes_over_bare"), ours / theirs);
        medians.push(finds::add(measured, &name, (&store, &bare), &grown.ids, plan.rounds).await?);
    }
    let growth = medians.last().zip(medians.first()).map(|(last, first)| last / first);
    measured.ratio(format!("{name}_find_growth"), growth.context("no store size was measured")?);

    let late = plan.tokens - (plan.tokens / 2).min(999 * 20);
    let late = store.get(grown.ids[late]).await?.value.context("a token is missing")?;
    lists::add(measured, name, &store, &late.record).await?;
    issues::add(measured, (backend, &store), &tokens, plan.tokens, plan.long).await?;

    for first in (0..plan.ended).step_by(BATCH) {
        let ended = tokens.ended(first..(first + BATCH).min(plan.ended))?;
        backend.fill(&store, &ended).await?;
    }
    let ids: Arc<[TokenId]> = grown.ids.into();
    prune::add(measured, name, &store, &ids, plan.ended, plan.long).await?;
    uses::add(measured, backend, &bare, &ids, plan.uses).await
}

/// The contents of a store after each step of its growth.
#[derive(Default)]
struct Grown {
    ids: Vec<TokenId>,
    bytes: u64,
    bare_bytes: u64,
}

impl Grown {
    async fn grow<G: ComparedBackend>(
        &mut self,
        backend: &G,
        (store, bare): (&G::Store, &G::Bare),
        tokens: &Tokens,
        size: usize,
    ) -> Result<()> {
        let from = self.ids.len();
        let batches = (from..size).step_by(BATCH).map(|first| first..(first + BATCH).min(size));
        let mut added: Vec<StoredToken> = Vec::new();
        let before = backend.bytes().await?;
        for batch in batches {
            let batch = tokens.range(batch)?;
            backend.fill(store, &batch).await?;
            added.extend(batch);
        }
        self.bytes += backend.bytes().await?.saturating_sub(before);
        let before = bare.bytes().await?;
        for batch in added.chunks(BATCH) {
            bare.fill(batch).await?;
        }
        self.bare_bytes += bare.bytes().await?.saturating_sub(before);
        // Check samples, because the store did not write these tokens itself.
        for token in added.iter().step_by(added.len().div_ceil(100).max(1)) {
            let found = store.get(token.record.id).await?.value;
            let found = found.context("a token that was written directly is not found")?;
            ensure!(
                found.record == token.record,
                "the store reads another record than was written: {found:?}"
            );
        }
        self.ids.extend(added.iter().map(|token| token.record.id));
        Ok(())
    }
}

/// Formats a size as `10k` or `1m`.
fn in_words(size: usize) -> String {
    match size {
        _ if size.is_multiple_of(1_000_000) => format!("{}m", size / 1_000_000),
        _ if size.is_multiple_of(1_000) => format!("{}k", size / 1_000),
        _ => size.to_string(),
    }
}
