//! `stores`: what tokens take in each store, and what it takes to find, list, issue and prune them,
//! as the store grows tenfold and tenfold again.
//!
//! Each store has a table of the same columns with a key and nothing else beside it, on the same
//! server, which is asked with nothing around it: `bare`. Tokens are put into the tables past the
//! store, since one at a time would take too long, and the store must find them.
//!
//! - `*_bytes_per_token`: with all indexes, without the change log, whose lines go after a day.
//! - `*_find_*`: random tokens, one look-up at a time, by the store and bare in turn.
//!   `*_find_growth` is the median at the full size over that at the smallest.
//! - `*_list_*`: 20 tokens and the number of all: an owner's, an admin's first page and their
//!   thousandth.
//! - `*_issues_per_second_by_*`: by so many callers at once.
//! - `*_find_p99_beside_prune_*`: while many tokens that ended long ago are pruned.
//! - `*_use*`: 5,000 tokens are checked on three nodes as fast as they go, and all nodes write
//!   their uses at the same time, with the clock put forward each time so that each use is news;
//!   beside one `UPDATE` per request, under the same load.

mod finds;
mod ground;
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

use self::ground::{Bare, Ground};
use self::tokens::Tokens;
use crate::harness::Measured;
use crate::site::{Kind, PostgresSite, RedisSite, SqliteSite};
use crate::{Scale, Stores};

/// How many tokens are put into a store at a time.
const BATCH: usize = 5_000;

/// What is done with each store.
#[derive(Clone, Copy)]
struct Plan {
    tokens: usize,
    rounds: u32,
    ended: usize,
    /// How long things go on that have no end of their own.
    long: Duration,
    uses: uses::Plan,
}

pub(crate) fn measure(scale: Scale, rounds: u32, stores: Stores<'_>) -> Result<Measured> {
    let long = scale.either(Duration::from_secs(2), Duration::from_millis(200));
    let plan = Plan {
        tokens: stores.tokens,
        rounds,
        // A fifth more than there is otherwise; 200,000 at the full size.
        ended: stores.tokens / 5,
        long,
        uses: uses::Plan { tokens: scale.of(5_000), interval: long },
    };
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut measured = Measured::default();
    for kind in stores.kinds {
        runtime.block_on(async {
            match kind {
                Kind::Sqlite => add(&mut measured, &SqliteSite::new()?, plan).await,
                Kind::Postgres => add(&mut measured, &PostgresSite::new()?, plan).await,
                Kind::Redis => add(&mut measured, &RedisSite::new()?, plan).await,
            }
        })?;
    }
    Ok(measured)
}

async fn add<G: Ground>(measured: &mut Measured, ground: &G, plan: Plan) -> Result<()> {
    let name = G::NAME;
    let store = ground.open(None).await?;
    let bare = ground.bare().await?;
    let tokens = Tokens::new(plan.tokens)?;
    let mut grown = Grown::default();
    let mut medians = Vec::new();
    for size in [plan.tokens / 100, plan.tokens / 10, plan.tokens] {
        grown.grow(ground, (&store, &bare), &tokens, size).await?;
        let name = format!("{name}_{}", in_words(size));
        let [ours, theirs] =
            [grown.bytes, grown.bare_bytes].map(|bytes| bytes as f64 / size as f64);
        measured.figure(format!("{name}_bytes_per_token"), ours);
        measured.figure(format!("{name}_bare_bytes_per_token"), theirs);
        measured.ratio(format!("{name}_bytes_over_bare"), ours / theirs);
        medians.push(finds::add(measured, &name, (&store, &bare), &grown.ids, plan.rounds).await?);
    }
    let growth = medians.last().zip(medians.first()).map(|(last, first)| last / first);
    measured.ratio(format!("{name}_find_growth"), growth.context("a store has grown")?);

    let late = plan.tokens - (plan.tokens / 2).min(999 * 20);
    let late = store.get(grown.ids[late]).await?.value.context("a token is gone")?;
    lists::add(measured, name, &store, &late.record).await?;
    issues::add(measured, name, &store, &tokens, plan.tokens, plan.long).await?;

    for first in (0..plan.ended).step_by(BATCH) {
        let ended = tokens.ended(first..(first + BATCH).min(plan.ended))?;
        ground.fill(&store, &ended).await?;
    }
    let ids: Arc<[TokenId]> = grown.ids.into();
    prune::add(measured, name, &store, &ids, plan.ended, plan.long).await?;
    uses::add(measured, ground, &bare, &ids, plan.uses).await
}

/// A store as far as it has grown.
#[derive(Default)]
struct Grown {
    ids: Vec<TokenId>,
    bytes: u64,
    bare_bytes: u64,
}

impl Grown {
    async fn grow<G: Ground>(
        &mut self,
        ground: &G,
        (store, bare): (&G::Store, &G::Bare),
        tokens: &Tokens,
        size: usize,
    ) -> Result<()> {
        let from = self.ids.len();
        let batches = (from..size).step_by(BATCH).map(|first| first..(first + BATCH).min(size));
        let mut added: Vec<StoredToken> = Vec::new();
        let before = ground.bytes().await?;
        for batch in batches {
            let batch = tokens.range(batch)?;
            ground.fill(store, &batch).await?;
            added.extend(batch);
        }
        self.bytes += ground.bytes().await?.saturating_sub(before);
        let before = bare.bytes().await?;
        for batch in added.chunks(BATCH) {
            bare.fill(batch).await?;
        }
        self.bare_bytes += bare.bytes().await?.saturating_sub(before);
        // Now and then one of them, to see that the store reads what was not written by itself.
        for token in added.iter().step_by(added.len().div_ceil(100).max(1)) {
            let found = store.get(token.record.id).await?.value;
            let found = found.context("a token that was filled in is not found")?;
            ensure!(found.record == token.record, "a token is read back as another: {found:?}");
        }
        self.ids.extend(added.iter().map(|token| token.record.id));
        Ok(())
    }
}

/// `10k` and the like.
fn in_words(size: usize) -> String {
    match size {
        _ if size.is_multiple_of(1_000_000) => format!("{}m", size / 1_000_000),
        _ if size.is_multiple_of(1_000) => format!("{}k", size / 1_000),
        _ => size.to_string(),
    }
}
