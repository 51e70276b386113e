//! Random lives of tokens on one to three nodes, a cache in front of each: what a change takes back is taken back on
//! its own node at once, and on every other within the bound, whatever becomes of the nudges between them.

mod calls;
mod past;
mod step;
mod token;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hallpass_cache::{CacheSettings, Cached};
use hallpass_core::{Actor, Error, Hallpass, Limits, Owner, OwnerStatus, ScopeSet, TokenUpdate};
use jiff::{SignedDuration, Timestamp};
use proptest::collection::vec;
use proptest::prelude::any;

use self::past::Past;
use self::step::{Nudges, OWNERS, SCOPES, Step, step};
use self::token::Token;
use super::histories::{Tries, all_of};
use super::nodes::Nodes;
use super::place::StoreUnderTest;
use super::samples::{at, owner};
use crate::{Faults, FaultyStore, ManualClock, Verb};

/// What the caches are bound to. Real time, since stores do real I/O.
const BOUND: Duration = Duration::from_millis(150);

/// Random lives on one to three nodes.
pub fn lives<P: StoreUnderTest>() {
    run(P::fresh, Tries { cases: Tries::asked().cases / 2, ..Tries::asked() });
}

/// The same in places of your own.
pub(super) fn run<P: StoreUnderTest>(fresh: impl AsyncFn() -> P, tries: Tries) {
    let steps = vec((0..3_usize, step()), 1..60);
    all_of((1..=3_usize, any::<bool>(), steps), tries, async |(count, host_is_asked, steps)| {
        let place = fresh().await;
        let nodes = Nodes::each(&place, count, |node| node).await;
        history(nodes, host_is_asked, steps).await;
    });
}

async fn history(nodes: Vec<Nodes>, host_is_asked: bool, steps: Vec<(usize, Step)>) {
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
    /// Which owners the host has disabled, and what each node may believe of that.
    disabled: HashMap<Owner, Past<bool>>,
    /// The host's own word.
    host: Arc<Mutex<HashMap<Owner, OwnerStatus>>>,
}

struct Node {
    hallpass: Hallpass,
    faults: Faults,
}

impl World {
    fn new(stores: Vec<Nodes>, host_is_asked: bool) -> Self {
        let clock = ManualClock::starting_at(at(0));
        let host = Arc::<Mutex<HashMap<Owner, OwnerStatus>>>::default();
        let settings = CacheSettings::default()
            .bound(BOUND)
            .poll(BOUND / 4)
            .load_deadline(Duration::from_secs(10))
            .capacity_bytes(1 << 20)
            .negative_capacity(1_024);
        let nodes = stores.into_iter().map(|store| {
            let store = FaultyStore::new(store);
            let faults = store.faults().clone();
            let mut builder = Hallpass::builder(Cached::with(store, settings.clone()))
                .clock(clock.clone())
                .limits(Limits::default().tokens_per_owner(5));
            if host_is_asked {
                let host = Arc::clone(&host);
                builder = builder.owner_directory(move |owner: Owner| {
                    let host = host.lock().unwrap_or_else(PoisonError::into_inner);
                    let standing = host.get(&owner).cloned().unwrap_or(OwnerStatus::Active);
                    async move { Ok(standing) }
                });
            }
            Node { hallpass: builder.build(), faults }
        });
        // Without a host nobody is ever disabled.
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

    /// A call on a node, with the model changed as the call changes the store.
    async fn take(&mut self, node: usize, step: Step) {
        let now = self.now();
        let hallpass = self.nodes[node].hallpass.clone();
        let known = self.tokens.len();
        let pick = |token: usize| token.checked_rem(known);
        match step {
            Step::Issue { owner, hours } => self.issue(&hallpass, owner, hours).await,
            Step::Regenerate { token, hours, overlap } => {
                let Some(token) = pick(token) else { return };
                self.regenerate(node, token, hours, overlap).await;
            }
            Step::Update { token, scopes } => {
                let Some(token) = pick(token) else { return };
                if self.is_disabled(&self.tokens[token].owner) {
                    return;
                }
                let token = &mut self.tokens[token];
                let scopes: Vec<_> = SCOPES[scopes].split(' ').collect();
                let update = TokenUpdate::new().scopes(scopes.iter().copied());
                let by = Actor::owner(token.owner.as_str());
                match hallpass.update(&by, token.id, update, None).await {
                    Ok(_) => {
                        let scopes = ScopeSet::parse(scopes).expect("scopes");
                        token.change(node, |state| state.scopes = scopes);
                    }
                    Err(error) => assert_gone(token, node, &error),
                }
            }
            Step::Extend { token, hours: count } => {
                let Some(token) = pick(token) else { return };
                let token = &mut self.tokens[token];
                let update = TokenUpdate::new().expires(format!("{count}h"));
                let by = Actor::owner(token.owner.as_str());
                match hallpass.update(&by, token.id, update, None).await {
                    Ok(_) => token.change(node, |state| state.ends = Some(now + hours(count))),
                    Err(Error::Ended) => assert!(!token.state.now().is_active(now)),
                    Err(error) => assert_gone(token, node, &error),
                }
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
                let count = hallpass.revoke_all(&by, &owner).await.expect("an answer");
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
                self.set_standing(node, &owner_of(owner), is_disabled).await;
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
            Step::Flush => drop(hallpass.flush_uses().await.expect("an answer")),
            Step::Nudges(nudges) => self.break_nudges(node, nudges),
            Step::Pass { minutes } => self.clock.advance(SignedDuration::from_mins(minutes)),
            Step::Wait { millis } => tokio::time::sleep(Duration::from_millis(millis)).await,
        }
        for (number, other) in self.nodes.iter().enumerate() {
            if number != node {
                other.faults.nudge();
            }
        }
    }

    fn tokens_of(&mut self, owner: &Owner) -> impl Iterator<Item = &mut Token> {
        let there = self.tokens.iter_mut().filter(|token| token.state.now().is_there);
        there.filter(move |token| token.owner == *owner)
    }

    fn break_nudges(&self, node: usize, nudges: Nudges) {
        let faults = &self.nodes[node].faults;
        faults.on(Verb::Nudged).heal();
        match nudges {
            Nudges::Come => {}
            Nudges::AreLost => faults.on(Verb::Nudged).lose_answer(),
            Nudges::AreLate => faults.on(Verb::Nudged).delay(BOUND / 2),
            Nudges::AreRepeated => faults.on(Verb::Nudged).times(10).repeat(),
            Nudges::ComeForNothing => faults.nudge(),
        }
    }
}

fn hours(count: i64) -> SignedDuration {
    SignedDuration::from_hours(count)
}

/// The token is not there, and now this node knows.
fn assert_gone(token: &mut Token, node: usize, error: &Error) {
    assert!(matches!(error, Error::NotFound), "{error:?}");
    assert!(!token.state.now().is_there, "{} is there", token.id);
    token.state.shown(node);
}
