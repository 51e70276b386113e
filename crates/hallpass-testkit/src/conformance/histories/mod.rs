//! Random lifecycles of tokens on one to three services, each with a cache. A change takes effect
//! immediately on the service that makes it, and on every other one within the staleness bound,
//! even if notifications between them are lost, late or repeated.

mod calls;
mod past;
mod step;
mod token;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hallpass_cache::{CacheSettings, Cached};
use hallpass_core::{Actor, Error, Hallpass, Limits, ListOptions, Owner, OwnerStatus};
use jiff::{SignedDuration, Timestamp};
use proptest::collection::vec;
use proptest::prelude::any;

use self::past::Past;
use self::step::{Notifications, OWNERS, SCOPES, Step, step};
use self::token::Token;
use super::place::StoreUnderTest;
use super::replicas::Replicas;
use super::samples::{at, owner};
use super::tries::{Tries, all_of};
use crate::{Faults, FaultyStore, ManualClock, Operation};

/// The maximum staleness of the caches, in real time, because stores do real I/O.
const BOUND: Duration = Duration::from_millis(150);

/// Runs random lifecycles on one to three services.
pub fn random_lifecycles<P: StoreUnderTest>() {
    run(P::fresh, Tries { cases: Tries::from_env().cases / 2, ..Tries::from_env() });
}

pub(super) fn run<P: StoreUnderTest>(fresh: impl AsyncFn() -> P, tries: Tries) {
    let steps = vec((0..3_usize, step()), 1..60);
    all_of((1..=3_usize, any::<bool>(), steps), tries, async |(count, host_is_asked, steps)| {
        let place = fresh().await;
        let nodes = Replicas::open(&place, count).await;
        history(nodes, host_is_asked, steps).await;
    });
}

async fn history(nodes: Vec<Replicas>, host_is_asked: bool, steps: Vec<(usize, Step)>) {
    let count = nodes.len();
    let mut world = World::new(nodes.clone(), host_is_asked);
    for (node, step) in steps {
        world.take(node % count, step).await;
    }
    world.settle().await;
    for node in nodes {
        node.close_all().await;
    }
}

fn owner_of(number: usize) -> Owner {
    owner(["alice", "bob"][number])
}

struct World {
    nodes: Vec<Node>,
    clock: ManualClock,
    tokens: Vec<Token>,
    /// The owners that the host has disabled, and the earlier values that each node may still
    /// assume.
    disabled: HashMap<Owner, Past<bool>>,
    /// The statuses that the host's owner directory returns.
    host: Arc<Mutex<HashMap<Owner, OwnerStatus>>>,
}

struct Node {
    hallpass: Hallpass,
    faults: Faults,
}

impl World {
    fn new(stores: Vec<Replicas>, host_is_asked: bool) -> Self {
        let clock = ManualClock::starting_at(at(0));
        let host = Arc::<Mutex<HashMap<Owner, OwnerStatus>>>::default();
        let settings = CacheSettings::default()
            .max_staleness(BOUND)
            .poll(BOUND / 4)
            .load_deadline(Duration::from_secs(10))
            .capacity_bytes(1 << 20)
            .negative_capacity(1_024);
        let nodes = stores.into_iter().map(|store| {
            let store = FaultyStore::new(store);
            let faults = store.faults().clone();
            let mut builder = Hallpass::builder(Cached::with_settings(store, settings.clone()))
                .clock(clock.clone())
                .limits(Limits::default().tokens_per_owner(5));
            if host_is_asked {
                let host = Arc::clone(&host);
                builder = builder.owner_directory(move |owner: Owner| {
                    let host = host.lock().unwrap_or_else(PoisonError::into_inner);
                    let status = host.get(&owner).cloned().unwrap_or(OwnerStatus::Active);
                    async move { Ok(status) }
                });
            }
            Node { hallpass: builder.build(), faults }
        });
        // Without an owner directory, no owner is ever disabled.
        let owners = (0..OWNERS).filter(|_| host_is_asked).map(owner_of);
        Self {
            nodes: nodes.collect(),
            clock,
            tokens: Vec::new(),
            disabled: owners.map(|owner| (owner, Past::new(false))).collect(),
            host,
        }
    }

    fn now(&self) -> Timestamp {
        self.nodes[0].hallpass.now()
    }

    /// Makes a call on a node, and changes the model as the call changes the store.
    async fn take(&mut self, node: usize, step: Step) {
        let hallpass = self.nodes[node].hallpass.clone();
        let known = self.tokens.len();
        let pick = |token: usize| token.checked_rem(known);
        match step {
            Step::Issue { owner, hours } => self.issue(&hallpass, owner, hours).await,
            Step::Regenerate { token, hours, grace_period } => {
                let Some(token) = pick(token) else { return };
                self.regenerate(node, token, hours, grace_period).await;
            }
            Step::Update { token, scopes } => {
                let Some(token) = pick(token) else { return };
                self.set_scopes(node, token, SCOPES[scopes]).await;
            }
            Step::Extend { token, hours } => {
                let Some(token) = pick(token) else { return };
                self.extend(node, token, hours).await;
            }
            Step::Revoke(token) => {
                let Some(token) = pick(token) else { return };
                let token = &mut self.tokens[token];
                match hallpass.revoke(&Actor::owner(token.owner.as_str()), token.id).await {
                    Ok(_) => token.change(node, |state| state.is_revoked = true),
                    Err(error) => assert_gone(token, node, &error),
                }
            }
            Step::Delete(token) => {
                let Some(token) = pick(token) else { return };
                let token = &mut self.tokens[token];
                match hallpass.delete(&Actor::owner(token.owner.as_str()), token.id, None).await {
                    Ok(()) => token.change(node, |state| state.is_there = false),
                    Err(error) => assert_gone(token, node, &error),
                }
            }
            Step::RevokeAll(number) => {
                let owner = owner_of(number);
                let by = Actor::owner(owner.as_str());
                let count = hallpass.revoke_owner(&by, &owner, None).await.expect("an answer");
                let live = self.tokens_of(&owner).filter(|token| !token.state.now().is_revoked);
                let revoked = live.map(|token| token.change(node, |state| state.is_revoked = true));
                assert_eq!(revoked.count() as u64, count);
            }
            Step::DeleteAll(number) => {
                let owner = owner_of(number);
                let count = hallpass.delete_all(&Actor::owner(owner.as_str())).await;
                let there = self.tokens_of(&owner);
                let gone = there.map(|token| token.change(node, |state| state.is_there = false));
                assert_eq!(gone.count() as u64, count.expect("an answer"));
            }
            Step::OwnerStatus { owner, is_disabled } => {
                self.set_owner_status(node, &owner_of(owner), is_disabled).await;
            }
            Step::TokenUse { token, secret } => {
                let Some(token) = pick(token) else { return };
                let current = self.tokens[token].state.now().current;
                let secret = secret.map_or(current, |secret| secret % (current + 1));
                self.check(node, token, secret).await;
            }
            Step::Look(token) => {
                let Some(token) = pick(token) else { return };
                let token = &mut self.tokens[token];
                match hallpass.get(&Actor::owner(token.owner.as_str()), token.id).await {
                    Ok(record) => {
                        assert_eq!(record.revoked_at.is_some(), token.state.now().is_revoked);
                        assert_eq!(record.scopes, token.state.now().scopes);
                        token.state.shown(node);
                    }
                    Err(error) => assert_gone(token, node, &error),
                }
            }
            Step::List(number) => {
                let by = Actor::owner(owner_of(number).as_str());
                let page = hallpass.list(&by, &ListOptions::new()).await.expect("an answer");
                let listed_ids: HashSet<_> = page.items.iter().map(|record| record.id).collect();
                // Checks on this node must not accept a secret that the list has shown to be
                // invalid.
                for token in self.tokens.iter_mut().filter(|t| t.owner == owner_of(number)) {
                    assert_eq!(listed_ids.contains(&token.id), token.state.now().is_there);
                    token.state.shown(node);
                }
            }
            Step::Flush => drop(hallpass.flush_uses().await.expect("an answer")),
            Step::Notifications(notifications) => self.disturb_notifications(node, notifications),
            Step::Pass { minutes } => self.clock.advance(SignedDuration::from_mins(minutes)),
            Step::Wait { millis } => tokio::time::sleep(Duration::from_millis(millis)).await,
        }
        for (number, other) in self.nodes.iter().enumerate() {
            if number != node {
                other.faults.notify();
            }
        }
    }

    fn tokens_of(&mut self, owner: &Owner) -> impl Iterator<Item = &mut Token> {
        let there = self.tokens.iter_mut().filter(|token| token.state.now().is_there);
        there.filter(move |token| token.owner == *owner)
    }

    fn disturb_notifications(&self, node: usize, notifications: Notifications) {
        let faults = &self.nodes[node].faults;
        faults.on(Operation::WaitForChange).heal();
        match notifications {
            Notifications::Arrive => {}
            Notifications::AreLost => faults.on(Operation::WaitForChange).lose_answer(),
            Notifications::AreLate => faults.on(Operation::WaitForChange).delay(BOUND / 2),
            Notifications::AreRepeated => faults.on(Operation::WaitForChange).times(10).repeat(),
            Notifications::AreSpurious => faults.notify(),
        }
    }
}

fn hours(count: i64) -> SignedDuration {
    SignedDuration::from_hours(count)
}

/// Fails unless the token is deleted. This node has shown the deletion, so it must not show the
/// token again.
fn assert_gone(token: &mut Token, node: usize, error: &Error) {
    assert!(matches!(error, Error::NotFound), "{error:?}");
    assert!(!token.state.now().is_there, "{} was not found although it exists", token.id);
    token.state.shown(node);
}
