//! Runs in which many tasks act on all nodes concurrently. Every operation is recorded and checked.

mod faults;
mod naive;
mod random;
mod servers;
mod shared_state;
mod stores;

use std::sync::Arc;
use std::time::{Duration, Instant};

use self::random::Random;
use self::shared_state::SharedState;
use crate::action::{Action, CheckVia, TokenChange};
use crate::history::{Operation, Promise, Report, check};
use crate::node::Node;

/// The staleness limit in all runs.
const BOUND: Duration = Duration::from_millis(300);

/// The number of concurrent tasks.
const WORKERS: usize = 32;

/// The number of tokens.
const TOKENS: usize = 16;

/// The number of owners.
const OWNERS: usize = 6;

/// The settings of a run.
struct Plan {
    /// Whether the host disables and enables accounts.
    disables_owners: bool,
    /// The field of the same name in [`Promise`].
    grace_periods_end_everywhere: bool,
}

impl Plan {
    const PLAIN: Self = Self { disables_owners: false, grace_periods_end_everywhere: true };
}

/// Returns the length of a run: 2 seconds, or the value of `HALLPASS_COHERENCE_SECONDS`.
fn length() -> Duration {
    let text = std::env::var("HALLPASS_COHERENCE_SECONDS").unwrap_or_else(|_| "2".to_owned());
    Duration::from_secs(text.parse().expect("HALLPASS_COHERENCE_SECONDS is a number of seconds"))
}

/// Runs the nodes and checks the recorded history.
async fn report(nodes: Vec<Node>, plan: &Plan) -> Report {
    let history = record(nodes, plan).await;
    let promise =
        Promise { bound: BOUND, grace_periods_end_everywhere: plan.grace_periods_end_everywhere };
    check(&history, &promise)
}

async fn record(nodes: Vec<Node>, plan: &Plan) -> Vec<Operation> {
    let run = Arc::new(Run {
        nodes,
        state: SharedState::new(),
        disables_owners: plan.disables_owners,
        began: Instant::now(),
        ends: Instant::now() + length(),
    });
    for number in 0..TOKENS {
        // The first attempts may fail, because some runs begin with a fault.
        while !run.issue(0, SharedState::owner(number)).await {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    let workers: Vec<_> = (0..WORKERS)
        .map(|_| tokio::spawn(Arc::clone(&run).work(Random::new(random::seed()))))
        .collect();
    for worker in workers {
        worker.await.expect("a task panicked");
    }
    run.state.history()
}

struct Run {
    nodes: Vec<Node>,
    state: SharedState,
    disables_owners: bool,
    began: Instant,
    ends: Instant,
}

impl Run {
    async fn work(self: Arc<Self>, mut random: Random) {
        while Instant::now() < self.ends {
            // The pause after a few checks keeps the tasks from saturating the machine.
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
        let via = any_interface(random);
        if let Some((token, credential)) = self.state.any_credential(random) {
            self.act(node, Action::Check { token, via }, Some(credential.token)).await;
        }
    }

    /// Makes one change, followed by checks. The checks on the same node must see the change.
    async fn change(&self, random: &mut Random) {
        let node = random.below(self.nodes.len());
        let Some(token) = self.state.any_token(random) else { return };
        let (owner, id) = self.state.name(token);
        let kind = match random.below(100) {
            0..15 => TokenChange::Revoke,
            15..40 => TokenChange::Regenerate { grace_period: false },
            40..60 => TokenChange::Regenerate { grace_period: true },
            60..80 => TokenChange::Update { scope: self.state.new_scope() },
            80..86 => TokenChange::Delete,
            86..90 => TokenChange::DeleteMany,
            90..96 => return self.end_all(owner, token, random).await,
            _ if self.disables_owners => return self.set_disabled(owner, token, random).await,
            _ => TokenChange::Revoke,
        };
        let is_gone = matches!(kind, TokenChange::Delete | TokenChange::DeleteMany);
        let change = Action::Change { owner: owner.clone(), id, change: kind };
        self.act(node, change, Some(token)).await;
        self.check_all(token, node, random).await;
        if is_gone {
            self.issue(random.below(self.nodes.len()), owner).await;
        }
    }

    /// Ends all tokens of an owner twice. The second call is usually on another node, which may
    /// have the tokens cached although nothing is left to end.
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
        let scope = self.state.new_scope();
        self.act(node, Action::Issue { owner, scope }, None).await
    }

    /// Disables an owner for a while.
    async fn set_disabled(&self, owner: String, token: usize, random: &mut Random) {
        let _alone = self.state.lock_owner(&owner).await;
        for disabled in [true, false] {
            let node = random.below(self.nodes.len());
            // Repeated until it succeeds: an account that stays disabled would make all later
            // checks of its tokens useless.
            loop {
                let action = Action::SetDisabled { owner: owner.clone(), disabled };
                if self.act(node, action, None).await || Instant::now() > self.ends {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            self.check_all(token, node, random).await;
            let a_while = BOUND.as_millis() as usize * 3 / 2;
            tokio::time::sleep(Duration::from_millis(random.below(a_while) as u64)).await;
        }
    }

    /// Checks the latest secrets of a token on every node, beginning with the node `first`.
    async fn check_all(&self, token: usize, first: usize, random: &mut Random) {
        for node in (0..self.nodes.len()).map(|node| (node + first) % self.nodes.len()) {
            for secret in self.state.secrets_of(token) {
                let via = any_interface(random);
                self.act(node, Action::Check { token: secret, via }, Some(token)).await;
            }
        }
    }

    /// Performs an action and records it. Returns whether it has certainly succeeded.
    async fn act(&self, node: usize, action: Action, token: Option<usize>) -> bool {
        let timed = self.nodes[node].perform(action.clone()).await;
        let span = (timed.start - self.began, timed.end - self.began);
        self.state.note(node, span, &action, token, timed.outcome)
    }
}

fn any_interface(random: &mut Random) -> CheckVia {
    match random.below(3) {
        0 => CheckVia::Handle,
        1 => CheckVia::Request,
        _ => CheckVia::Recheck,
    }
}
