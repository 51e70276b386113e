//! Measures how three nodes write recorded uses while they check tokens as fast as they can,
//! compared with an `UPDATE` per request.

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

use super::compared::{Bare, ComparedBackend};
use super::tokens::EACH;
use crate::harness::Measured;
use crate::latencies::{micros, millis};
use crate::random::Random;

const NODES: usize = 3;

/// The number of flushes on each node.
const FLUSHES: usize = 5;

/// The amount of work.
#[derive(Clone, Copy)]
pub(super) struct Plan {
    pub(super) tokens: usize,
    /// The time between two flushes. It must be long enough for each node to check every token.
    pub(super) interval: Duration,
}

pub(super) async fn add<G: ComparedBackend>(
    measured: &mut Measured,
    backend: &G,
    bare: &G::Bare,
    ids: &[TokenId],
    plan: Plan,
) -> Result<()> {
    let name = G::NAME;
    let (touches, minutes) = (Arc::<Touches>::default(), Arc::<AtomicI64>::default());
    let mut nodes = Vec::new();
    for _ in 0..NODES {
        let store = Counting { store: backend.open(None).await?, touches: Arc::clone(&touches) };
        let clock = Ahead(Arc::clone(&minutes));
        nodes.push(Hallpass::builder(Cached::new(store)).clock(clock).build());
    }
    let texts = issue(&nodes[0], plan.tokens).await?;
    // Every node must have cached every token before the measurement starts.
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
        // Recorded uses have a resolution of one minute, so each use has to be written again.
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

/// Returns the microseconds of an `UPDATE` under the same load, with one concurrent caller per
/// node.
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

/// Tasks that check tokens on all nodes.
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
                // The tokens are checked in order, so that none is left out.
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

/// The system clock, advanced by a number of minutes.
#[derive(Debug)]
struct Ahead(Arc<AtomicI64>);

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        Timestamp::now() + SignedDuration::from_mins(self.0.load(Ordering::Relaxed))
    }
}

/// The number of statements that have written uses, and the number of uses.
#[derive(Debug, Default)]
struct Touches {
    statements: AtomicU64,
    uses: AtomicU64,
}

impl Touches {
    /// Returns the counts and resets them to zero.
    fn take(&self) -> (u64, u64) {
        (self.statements.swap(0, Ordering::Relaxed), self.uses.swap(0, Ordering::Relaxed))
    }
}

/// A store that counts writes of uses.
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
