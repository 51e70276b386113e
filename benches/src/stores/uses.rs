//! Uses of tokens, written now and then by three nodes that check as fast as they can, beside an
//! `UPDATE` per request.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use futures::future::{join_all, try_join_all};
use hallpass_cache::Cached;
use hallpass_core::jiff::{SignedDuration, Timestamp};
use hallpass_core::store::{
    AuditPage, AuditQuery, BulkResult, Change, ChangeBatch, ChangeSeq, Deleted, ListPage,
    ListQuery, LogPosition, Secrets, Snapshot, StoreError, StoredToken, TokenStore, TokenUse,
};
use hallpass_core::{Actor, Clock, Digest, Event, Hallpass, NewToken, Owner, Revision, TokenId};

use super::ground::{Bare, Ground};
use super::tokens::EACH;
use crate::harness::Measured;
use crate::latencies::{micros, millis};
use crate::random::Random;

const NODES: usize = 3;

/// How often each node writes what waits.
const FLUSHES: usize = 5;

/// How much of it there is.
#[derive(Clone, Copy)]
pub(super) struct Plan {
    pub(super) tokens: usize,
    /// How long nodes check between two flushes: long enough for each to see every token.
    pub(super) interval: Duration,
}

pub(super) async fn add<G: Ground>(
    measured: &mut Measured,
    ground: &G,
    bare: &G::Bare,
    ids: &[TokenId],
    plan: Plan,
) -> Result<()> {
    let name = G::NAME;
    let (touches, minutes) = (Arc::<Touches>::default(), Arc::<AtomicI64>::default());
    let mut nodes = Vec::new();
    for _ in 0..NODES {
        let store = Counting { store: ground.open(None).await?, touches: Arc::clone(&touches) };
        let clock = Ahead(Arc::clone(&minutes));
        nodes.push(Hallpass::builder(Cached::new(store)).clock(clock).build());
    }
    let texts = issue(&nodes[0], plan.tokens).await?;
    // Every node knows every token before the first of them is written.
    for node in &nodes {
        for text in texts.iter() {
            node.authenticate(text.as_bytes()).await?;
        }
        node.flush_uses().await?;
    }
    touches.take();
    let checking = Checking::begin(&nodes, &texts);
    let mut flushing = Duration::ZERO;
    for _ in 0..FLUSHES {
        // Another minute: each use is news again.
        minutes.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(plan.interval).await;
        let started = Instant::now();
        let flushes = nodes.iter().map(|node| {
            let node = node.clone();
            tokio::spawn(async move { node.flush_uses().await })
        });
        for flushed in join_all(flushes).await {
            if let Err(error) = flushed? {
                measured.broken.push(format!("{name}: uses could not be written: {error}"));
            }
        }
        flushing += started.elapsed();
    }
    let (statements, uses) = touches.take();
    let update = update(bare, ids, plan.interval).await?;
    checking.end().await?;

    ensure!(uses > 0, "{name}: no use was written");
    let each = micros(flushing) / uses as f64;
    let flushes = (FLUSHES * NODES) as f64;
    measured.figure(format!("{name}_use_statements_per_flush"), statements as f64 / flushes);
    measured.figure(format!("{name}_uses_per_flush"), uses as f64 / flushes);
    measured.figure(format!("{name}_flush_of_all_nodes_ms"), millis(flushing) / FLUSHES as f64);
    measured.figure(format!("{name}_use_us"), each);
    measured.figure(format!("{name}_update_us"), update);
    measured.ratio(format!("{name}_use_over_update"), each / update);
    Ok(())
}

async fn issue(node: &Hallpass, count: usize) -> Result<Arc<[String]>> {
    let mut texts = Vec::new();
    for first in (0..count).step_by(EACH) {
        let by = Actor::owner(format!("busy-{first}"));
        let issues =
            (0..EACH).map(|_| node.issue(&by, NewToken::named("bench").scope("projects:read")));
        let issued = try_join_all(issues).await?;
        texts.extend(issued.into_iter().map(|issued| issued.token.reveal().to_owned()));
    }
    Ok(texts.into())
}

/// The microseconds that an `UPDATE` takes under the same load, by as many at once as there are
/// nodes.
async fn update(bare: &impl Bare, ids: &[TokenId], long: Duration) -> Result<f64> {
    let started = Instant::now();
    let nodes = (0..NODES as u64).map(async |node| {
        let (mut random, mut count) = (Random::new(node), 0);
        while started.elapsed() < long {
            bare.note_use(ids[random.below(ids.len())]).await?;
            count += 1;
        }
        anyhow::Ok(count)
    });
    let counts: Vec<u32> = try_join_all(nodes).await?;
    Ok(micros(started.elapsed()) / f64::from(counts.iter().sum::<u32>()))
}

/// Checks on all nodes.
struct Checking {
    is_over: Arc<AtomicBool>,
    tasks: Vec<tokio::task::JoinHandle<Result<()>>>,
}

impl Checking {
    fn begin(nodes: &[Hallpass], texts: &Arc<[String]>) -> Self {
        let is_over = Arc::<AtomicBool>::default();
        let tasks = nodes.iter().map(|node| {
            let (node, texts, ends) = (node.clone(), Arc::clone(texts), Arc::clone(&is_over));
            tokio::spawn(async move {
                // One after the other, so that none is left out.
                for text in texts.iter().cycle() {
                    if ends.load(Ordering::Relaxed) {
                        break;
                    }
                    node.authenticate(text.as_bytes()).await?;
                    tokio::task::consume_budget().await;
                }
                Ok(())
            })
        });
        Self { tasks: tasks.collect(), is_over }
    }

    async fn end(self) -> Result<()> {
        self.is_over.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await??;
        }
        Ok(())
    }
}

/// The system's clock, so many minutes ahead.
#[derive(Debug)]
struct Ahead(Arc<AtomicI64>);

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        Timestamp::now() + SignedDuration::from_mins(self.0.load(Ordering::Relaxed))
    }
}

/// How many statements have written uses, and how many uses that were.
#[derive(Debug, Default)]
struct Touches {
    statements: AtomicU64,
    uses: AtomicU64,
}

impl Touches {
    /// What there was so far; none from here on.
    fn take(&self) -> (u64, u64) {
        (self.statements.swap(0, Ordering::Relaxed), self.uses.swap(0, Ordering::Relaxed))
    }
}

/// A store that counts the writing of uses.
#[derive(Debug)]
struct Counting<S> {
    store: S,
    touches: Arc<Touches>,
}

impl<S: TokenStore> TokenStore for Counting<S> {
    async fn record_uses(&self, uses: &[TokenUse]) -> Result<u64, StoreError> {
        self.touches.statements.fetch_add(1, Ordering::Relaxed);
        self.touches.uses.fetch_add(uses.len() as u64, Ordering::Relaxed);
        self.store.record_uses(uses).await
    }

    async fn wait_for_change(&self, seen: LogPosition) {
        self.store.wait_for_change(seen).await;
    }

    async fn close(&self) {
        self.store.close().await;
    }

    crate::forward::forward!(store:
        get insert list update replace_digest delete delete_many delete_owner
        revoke_owner revoke_everyone log_owner_change prune prune_log changes audit ping
    );
}
