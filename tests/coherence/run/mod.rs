//! Runs: many tasks act on all nodes at once for a while, and everything is recorded.

mod faults;
mod naive;
mod random;
mod servers;
mod stores;
mod world;

use std::sync::Arc;
use std::time::{Duration, Instant};

use self::random::Random;
use self::world::World;
use crate::action::{Action, How, Way};
use crate::history::{Operation, Promise, Report, check};
use crate::node::Node;

/// B in the runs.
const BOUND: Duration = Duration::from_millis(300);

/// Tasks that act at once.
const WORKERS: usize = 32;

/// How many tokens are acted on.
const TOKENS: usize = 16;

/// The owners of all tokens.
const OWNERS: usize = 6;

/// What a run is like.
struct Plan {
    /// Whether the host disables and enables people.
    standings: bool,
    /// See [`Promise`].
    overlaps_end_everywhere: bool,
}

impl Plan {
    const PLAIN: Self = Self { standings: false, overlaps_end_everywhere: true };
}

/// How long a run takes: a few seconds, or as many as `HALLPASS_COHERENCE_SECONDS` says.
fn length() -> Duration {
    let text = std::env::var("HALLPASS_COHERENCE_SECONDS").unwrap_or_else(|_| "2".to_owned());
    Duration::from_secs(text.parse().expect("HALLPASS_COHERENCE_SECONDS is a number of seconds"))
}

/// Lets the nodes run, and says what the history shows.
async fn report(nodes: Vec<Node>, plan: &Plan) -> Report {
    let history = record(nodes, plan).await;
    let promise = Promise { bound: BOUND, overlaps_end_everywhere: plan.overlaps_end_everywhere };
    check(&history, &promise)
}

async fn record(nodes: Vec<Node>, plan: &Plan) -> Vec<Operation> {
    let run = Arc::new(Run {
        nodes,
        world: World::new(),
        standings: plan.standings,
        began: Instant::now(),
        ends: Instant::now() + length(),
    });
    for number in 0..TOKENS {
        // The first may be refused: some runs begin with a fault.
        while !run.issue(0, World::owner(number)).await {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    let workers: Vec<_> = (0..WORKERS)
        .map(|_| tokio::spawn(Arc::clone(&run).work(Random::new(random::seed()))))
        .collect();
    for worker in workers {
        worker.await.expect("no panic");
    }
    run.world.history()
}

struct Run {
    nodes: Vec<Node>,
    world: World,
    standings: bool,
    began: Instant,
    ends: Instant,
}

impl Run {
    async fn work(self: Arc<Self>, mut random: Random) {
        while Instant::now() < self.ends {
            // A few checks, then a breath: the machine is not to be kept busy by this alone.
            for _ in 0..random.below(16) {
                let node = random.below(self.nodes.len());
                self.check(node, &mut random).await;
            }
            if random.below(50) == 0 {
                self.change(&mut random).await;
            }
            tokio::time::sleep(Duration::from_millis(random.below(8) as u64)).await;
        }
    }

    async fn check(&self, node: usize, random: &mut Random) {
        let by = way(random);
        if let Some((token, credential)) = self.world.any_credential(random) {
            self.act(node, Action::Check { token, by }, Some(credential.token)).await;
        }
    }

    /// One change, and checks right after it: on its own node they must know.
    async fn change(&self, random: &mut Random) {
        let node = random.below(self.nodes.len());
        let Some(token) = self.world.any_token(random) else { return };
        let (owner, id) = self.world.name(token);
        let how = match random.below(100) {
            0..15 => How::Revoke,
            15..40 => How::Regenerate { overlap: false },
            40..60 => How::Regenerate { overlap: true },
            60..80 => How::Update { scope: self.world.new_scope() },
            80..86 => How::Delete,
            86..90 => How::DeleteMany,
            90..96 => return self.end_all(owner, token, random).await,
            _ if self.standings => return self.stand(owner, token, random).await,
            _ => How::Revoke,
        };
        let is_gone = matches!(how, How::Delete | How::DeleteMany);
        let change = Action::Change { owner: owner.clone(), id, how };
        self.act(node, change, Some(token)).await;
        self.check_all(token, node, random).await;
        if is_gone {
            self.issue(random.below(self.nodes.len()), owner).await;
        }
    }

    /// Ends all tokens of an owner, twice: the second time on another node, where they may be
    /// cached, and nothing is left to do.
    async fn end_all(&self, owner: String, token: usize, random: &mut Random) {
        let delete = random.below(3) == 0;
        for _ in 0..2 {
            let node = random.below(self.nodes.len());
            let owner = owner.clone();
            let all =
                if delete { Action::DeleteAll { owner } } else { Action::RevokeAll { owner } };
            self.act(node, all, None).await;
            self.check_all(token, node, random).await;
        }
        for _ in 0..if delete { TOKENS / OWNERS } else { 0 } {
            self.issue(random.below(self.nodes.len()), owner.clone()).await;
        }
    }

    async fn issue(&self, node: usize, owner: String) -> bool {
        let scope = self.world.new_scope();
        self.act(node, Action::Issue { owner, scope }, None).await
    }

    /// Disables somebody for a while.
    async fn stand(&self, owner: String, token: usize, random: &mut Random) {
        let _alone = self.world.standing_of(&owner).await;
        for disabled in [true, false] {
            let node = random.below(self.nodes.len());
            // Until it has been heard: an account that stays disabled tells nothing more.
            loop {
                let stand = Action::Stand { owner: owner.clone(), disabled };
                if self.act(node, stand, None).await || Instant::now() > self.ends {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            self.check_all(token, node, random).await;
            let a_while = BOUND.as_millis() as usize * 3 / 2;
            tokio::time::sleep(Duration::from_millis(random.below(a_while) as u64)).await;
        }
    }

    /// Every secret of the token, on that node first.
    async fn check_all(&self, token: usize, first: usize, random: &mut Random) {
        for node in (0..self.nodes.len()).map(|node| (node + first) % self.nodes.len()) {
            for secret in self.world.secrets_of(token) {
                let by = way(random);
                self.act(node, Action::Check { token: secret, by }, Some(token)).await;
            }
        }
    }

    /// Makes a call. Returns whether it has certainly succeeded.
    async fn act(&self, node: usize, action: Action, token: Option<usize>) -> bool {
        let timed = self.nodes[node].perform(action.clone()).await;
        let span = (timed.start - self.began, timed.end - self.began);
        self.world.note(node, span, &action, token, timed.outcome)
    }
}

fn way(random: &mut Random) -> Way {
    match random.below(3) {
        0 => Way::Handle,
        1 => Way::Request,
        _ => Way::Recheck,
    }
}
