//! Revokes tokens while all nodes check them.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use hallpass_core::Hallpass;
use tokio::runtime::Runtime;

use super::fleet::{Held, LAST, issue};
use super::watch::{Scene, Seen, Subject};

/// The time limit for the first acceptance of a new token on every node. A node that was
/// disconnected has to reconnect first.
const PATIENCE: Duration = Duration::from_secs(20);

/// The settings for revoking and watching tokens.
#[derive(Clone, Copy)]
pub(super) struct Window {
    /// The number of tokens that are watched at once.
    pub(super) tokens: usize,
    pub(super) pace: Duration,
    /// The interval between two revocations.
    pub(super) apart: Duration,
    /// The time for which a token is watched after its revocation if a node never rejects it.
    pub(super) horizon: Duration,
    /// The number of nodes that revoke in turn, starting with the first node.
    pub(super) revokers: usize,
    /// The period over which the first checks of the tokens are spread.
    pub(super) spread: Duration,
    /// The time before the revocations at which the last node checks the tokens for the first time.
    pub(super) surprise: Option<Duration>,
}

/// The outcome of a revocation.
pub(super) struct Outcome {
    /// The number of acceptances by the node that revoked.
    pub(super) own: u32,
    /// The time from the revocation to the last acceptance by any node.
    pub(super) last: Duration,
    /// The duration of `revoke`.
    pub(super) took: Duration,
}

impl Window {
    /// Issues tokens, waits until all nodes accept them, calls `before`, revokes the tokens and
    /// watches.
    pub(super) fn run(
        &self,
        runtime: &Runtime,
        nodes: &[Hallpass],
        before: impl FnOnce(),
    ) -> Result<Vec<Outcome>> {
        let (held, subjects): (Vec<_>, Vec<_>) =
            runtime.block_on(self.issue(&nodes[0]))?.into_iter().unzip();
        let scene = Scene {
            subjects: &subjects,
            pace: self.pace,
            horizon: self.horizon,
            ready: AtomicUsize::new(0),
            surprised: AtomicBool::new(false),
            given_up: AtomicBool::new(false),
        };
        let (revoked, seen) = thread::scope(|scope| {
            let watchers: Vec<_> = nodes
                .iter()
                .enumerate()
                .map(|(number, node)| {
                    let is_surprised = self.surprise.is_some() && number == LAST;
                    let scene = &scene;
                    scope.spawn(move || scene.watch(node, runtime.handle(), is_surprised))
                })
                .collect();
            let revoked = self.revoke(runtime, nodes, &held, &scene, before);
            if revoked.is_err() {
                scene.given_up.store(true, Ordering::Relaxed);
            }
            let seen =
                watchers.into_iter().map(|watcher| watcher.join().expect("no watcher panics"));
            (revoked, seen.collect::<Vec<Vec<Seen>>>())
        });
        let outcome = |(at, took): (usize, Duration)| Outcome {
            own: seen[at % self.revokers][at].accepted,
            last: seen.iter().map(|seen| seen[at].last).max().unwrap_or_default(),
            took,
        };
        Ok(revoked?.into_iter().enumerate().map(outcome).collect())
    }

    async fn issue(&self, node: &Hallpass) -> Result<Vec<(Held, Subject)>> {
        let mut issued = Vec::new();
        for _ in 0..self.tokens {
            issued.push(issue(node).await?);
        }
        let now = Instant::now();
        let subjects = issued.into_iter().enumerate().map(|(number, held)| {
            let from = now + self.spread * number as u32 / self.tokens as u32;
            let subject = Subject { text: held.text.clone(), from, revoked: OnceLock::new() };
            (held, subject)
        });
        Ok(subjects.collect())
    }

    fn revoke(
        &self,
        runtime: &Runtime,
        nodes: &[Hallpass],
        held: &[Held],
        scene: &Scene<'_>,
        before: impl FnOnce(),
    ) -> Result<Vec<Duration>> {
        let knowing = nodes.len() - usize::from(self.surprise.is_some());
        let deadline = Instant::now() + self.spread + PATIENCE;
        while scene.ready.load(Ordering::Relaxed) < knowing * held.len() {
            ensure!(Instant::now() < deadline, "a node does not accept new tokens");
            thread::sleep(Duration::from_micros(100));
        }
        before();
        if let Some(ahead) = self.surprise {
            scene.surprised.store(true, Ordering::Relaxed);
            thread::sleep(ahead);
        }
        let mut took = Vec::new();
        for (number, (held, subject)) in held.iter().zip(scene.subjects).enumerate() {
            if number > 0 && !self.apart.is_zero() {
                thread::sleep(self.apart);
            }
            let asked = Instant::now();
            let revoked = runtime.block_on(nodes[number % self.revokers].revoke(&held.by, held.id));
            let returned = *subject.revoked.get_or_init(Instant::now);
            revoked?;
            took.push(returned - asked);
        }
        Ok(took)
    }
}
