//! Background load: the nodes check other tokens as fast as possible and revoke others.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use hallpass_core::Hallpass;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use super::fleet::{is_unavailable, issue};
use crate::random::Random;

/// The number of checks that a task makes before it yields, as a service would for a few requests.
const AT_A_STRETCH: usize = 8;

/// The pause of each node between two revocations of other tokens.
const REVOCATIONS: Duration = Duration::from_millis(20);

/// The tasks of the load on all nodes. They run until [`end`](Self::end).
pub(super) struct Load {
    is_over: Arc<AtomicBool>,
    checks: Arc<AtomicU64>,
    began: Instant,
    tasks: Vec<JoinHandle<Result<()>>>,
}

impl Load {
    pub(super) fn begin(runtime: &Runtime, nodes: &[Hallpass], tokens: usize) -> Result<Self> {
        let tokens: Arc<[String]> = runtime.block_on(async {
            let mut texts = Vec::new();
            for _ in 0..tokens {
                texts.push(issue(&nodes[0]).await?.text);
            }
            anyhow::Ok(texts.into())
        })?;
        let (is_over, checks) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let mut tasks = Vec::new();
        for (number, node) in nodes.iter().enumerate() {
            let checking = check(
                node.clone(),
                Arc::clone(&tokens),
                Random::new(number as u64),
                Arc::clone(&is_over),
                Arc::clone(&checks),
            );
            tasks.push(runtime.spawn(checking));
            tasks.push(runtime.spawn(revoke(node.clone(), Arc::clone(&is_over))));
        }
        Ok(Self { is_over, checks, began: Instant::now(), tasks })
    }

    /// Stops the load. Returns the number of checks per second on all nodes together.
    ///
    /// # Errors
    ///
    /// Returns an error if a check or a revocation failed.
    pub(super) fn end(self, runtime: &Runtime) -> Result<f64> {
        self.is_over.store(true, Ordering::Relaxed);
        let checks = self.checks.load(Ordering::Relaxed) as f64;
        let a_second = checks / self.began.elapsed().as_secs_f64();
        for task in self.tasks {
            runtime.block_on(task)??;
        }
        Ok(a_second)
    }
}

async fn check(
    node: Hallpass,
    tokens: Arc<[String]>,
    mut random: Random,
    is_over: Arc<AtomicBool>,
    checks: Arc<AtomicU64>,
) -> Result<()> {
    while !is_over.load(Ordering::Relaxed) {
        for _ in 0..AT_A_STRETCH {
            let text = &tokens[random.below(tokens.len())];
            load_check(&node, text).await?;
        }
        checks.fetch_add(AT_A_STRETCH as u64, Ordering::Relaxed);
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// Checks a valid token. The node may report that its store is unavailable, which does not count as
/// a failure.
async fn load_check(node: &Hallpass, text: &str) -> Result<()> {
    match node.authenticate(text.as_bytes()).await {
        Err(denied) if !denied.is_unavailable() => {
            Err(denied).context("a valid token was rejected")
        }
        _ => Ok(()),
    }
}

async fn revoke(node: Hallpass, is_over: Arc<AtomicBool>) -> Result<()> {
    while !is_over.load(Ordering::Relaxed) {
        match revoke_one(&node).await {
            Err(error) if !is_unavailable(&error) => return Err(error),
            _ => tokio::time::sleep(REVOCATIONS).await,
        }
    }
    Ok(())
}

async fn revoke_one(node: &Hallpass) -> Result<()> {
    let held = issue(node).await?;
    node.revoke(&held.by, held.id).await?;
    let verdict = node.authenticate(held.text.as_bytes()).await;
    ensure!(verdict.is_err(), "the node that revoked a token still accepts it");
    Ok(())
}
