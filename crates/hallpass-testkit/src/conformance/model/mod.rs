//! Random histories of a store, on one handle or several, against a model that fits on a page.

mod state;
mod step;
mod texts;

use std::collections::HashSet;

use hallpass_core::store::{
    Change, ChangeSeq, ListQuery, LogPosition, StoredToken, TokenStore, TokenUse,
};
use hallpass_core::{Revision, TokenId, TokenRecord};
use proptest::collection::vec;

use self::state::{Model, Rejection, owner_of};
use self::step::{Aim, Step, step};
use super::cases::check::{assert_same, everything, whole_log};
use super::cases::pages::by_definition;
use super::histories::{Tries, all_of};
use super::nodes::Nodes;
use super::place::StoreUnderTest;
use super::run::small_cache;
use super::samples::{at, digest};

/// Random histories on one to three handles.
pub fn plain<P: StoreUnderTest>() {
    run(P::fresh, |store| store, Tries::asked());
}

/// The same with a cache in front of each.
pub fn cached<P: StoreUnderTest>() {
    run(P::fresh, small_cache, Tries::asked());
}

pub(super) fn run<P: StoreUnderTest, S: TokenStore>(
    fresh: impl AsyncFn() -> P,
    front: impl Fn(Nodes) -> S,
    tries: Tries,
) {
    let steps = vec((0..3_usize, step()), 1..60);
    all_of((1..=3_usize, steps), tries, async |(count, steps)| {
        let place = fresh().await;
        history(Nodes::each(&place, count, &front).await, steps).await;
    });
}

async fn history(nodes: Vec<Nodes>, steps: Vec<(usize, Step)>) {
    let count = nodes.len();
    let mut world = World { nodes, model: Model::new() };
    for (node, step) in steps {
        world.take(node % count, &step).await;
        world.compare((node + 1) % count).await;
    }
    for node in &world.nodes {
        node.close_all().await;
    }
}

struct World {
    nodes: Vec<Nodes>,
    model: Model,
}

impl World {
    /// Makes a call on one of the nodes, and has its answer be the model's.
    async fn take(&mut self, node: usize, step: &Step) {
        let Self { nodes, model } = self;
        let store = &nodes[node];
        let refusal = |answer: Result<ChangeSeq, _>| answer.map_err(|error| Rejection::of(&error));
        match step {
            Step::Insert { token, draft, secrets, limit } => {
                let mut record = TokenRecord::new(model.ids[*token], owner_of(*token), "", at(0));
                draft.fill(&mut record);
                let token = StoredToken { record, secrets: secrets.clone() };
                let answer = refusal(store.insert(&token, *limit).await);
                match model.insert(&token, *limit) {
                    Ok(seq) => assert_eq!(answer, Ok(seq)),
                    Err(reasons) => assert!(
                        answer.is_err_and(|refusal| reasons.contains(&refusal)),
                        "{answer:?} for {reasons:?}"
                    ),
                }
            }
            Step::Change { token, at, draft, secrets, kind } => {
                let id = model.ids[*token];
                let mut record = known(model, *token);
                draft.edit(&mut record);
                record.revision = revision(model, id, *at).next();
                let change = Change { record, secrets: secrets.clone(), kind: *kind };
                assert_eq!(refusal(store.change(&change).await), model.change(&change));
            }
            Step::Rekey { token, at, secrets } => {
                let id = model.ids[*token];
                let expected = model.tokens.get(&id).filter(|_| *at == Aim::Now);
                let expected =
                    expected.map_or_else(|| digest(0xEE), |token| token.secrets.current.clone());
                let answer = refusal(store.rekey(id, &expected, secrets).await);
                assert_eq!(answer, model.rekey(id, &expected, secrets));
            }
            Step::Delete { token, at } => {
                let id = model.ids[*token];
                let expected = at.map(|at| revision(model, id, at));
                assert_eq!(refusal(store.delete(id, expected).await), model.delete(id, expected));
            }
            Step::DeleteMany { owner, tokens } => {
                let owner = owner.map(owner_of);
                let ids: Vec<_> = tokens.iter().map(|token| model.ids[*token]).collect();
                let mut answer = store.delete_many(owner.as_ref(), &ids).await.expect("an answer");
                let before = model.log.len();
                let mut expected = model.delete_many(owner.as_ref(), &ids);
                answer.tokens.sort();
                expected.tokens.sort();
                assert_eq!(answer, expected);
                self.take_order_of_deletes(before).await;
            }
            Step::DeleteOwner(owner) => {
                let owner = owner_of(*owner);
                let answer = store.delete_owner(&owner).await.expect("an answer");
                assert_eq!(answer, model.delete_owner(&owner));
            }
            Step::RevokeOwner(owner, at) => {
                let owner = owner_of(*owner);
                let answer = store.revoke_owner(&owner, *at).await.expect("an answer");
                assert_eq!(answer, model.revoke_owner(&owner, *at));
            }
            Step::Announce(owner) => {
                let owner = owner_of(*owner);
                let answer = store.announce(&owner).await.expect("an answer");
                assert_eq!(answer, model.announce(&owner));
            }
            Step::Touch(uses) => {
                let mut seen = HashSet::new();
                let uses = uses.iter().filter(|(token, ..)| seen.insert(*token));
                let uses: Vec<_> = uses
                    .map(|(token, aim, at)| {
                        let id = model.ids[*token];
                        TokenUse { id, revision: revision(model, id, *aim), at: *at }
                    })
                    .collect();
                assert_eq!(store.touch(&uses).await.expect("an answer"), model.touch(&uses));
            }
            Step::Prune { ended_before, limit } => {
                let ended = model.ended_before(*ended_before);
                let pruned = store.prune(*ended_before, *limit).await.expect("an answer");
                assert_eq!(pruned, u64::from(*limit).min(ended.len() as u64));
                // Which of them went, the store chooses.
                let left = store.list(&everything()).await.expect("an answer").records;
                let left: HashSet<_> = left.into_iter().map(|record| record.id).collect();
                let gone = ended.iter().filter(|id| !left.contains(id));
                let gone: Vec<_> = gone.inspect(|id| drop(model.tokens.remove(id))).collect();
                assert_eq!(gone.len() as u64, pruned);
            }
            Step::List(query) => walk(store, model, query).await,
            Step::Follow { from, limit } => follow(store, model, *from, *limit).await,
        }
    }

    /// In which order several tokens that go in one step are logged, the store chooses.
    async fn take_order_of_deletes(&mut self, before: usize) {
        let logged = whole_log(&self.nodes[0]).await;
        let last = &mut self.model.log[before..];
        assert_eq!(logged.len(), before + last.len());
        let mut chosen: Vec<_> = logged[before..].iter().map(|line| line.scope.clone()).collect();
        let written = chosen.clone();
        let by_debug = |scope: &_| format!("{scope:?}");
        chosen.sort_by_key(by_debug);
        last.sort_by_key(by_debug);
        assert_eq!(chosen, last);
        last.clone_from_slice(&written);
    }

    /// Another node shows all that the model has, and nothing else.
    async fn compare(&mut self, node: usize) {
        let (store, model) = (&self.nodes[node], &mut self.model);
        let all = everything();
        let page = store.list(&all).await.expect("an answer");
        let records = model.tokens.values().map(|token| &token.record);
        assert_eq!(page.records, by_definition(records, &all));
        assert_eq!((page.total, page.more), (model.tokens.len() as u64, false));
        for id in &model.ids {
            let found = store.find(*id).await.expect("an answer");
            assert_eq!(found.as_of, model.clock());
            match (&found.value, model.tokens.get(id)) {
                (Some(found), Some(expected)) => assert_same(found, expected),
                (found, expected) => assert!(found.is_none() && expected.is_none(), "{found:?}"),
            }
        }
        let lines = whole_log(store).await;
        let scopes: Vec<_> = lines.iter().map(|line| line.scope.clone()).collect();
        assert_eq!(scopes, model.log);
        assert_eq!(lines[..model.lines.len()], model.lines, "what was logged stays as it was");
        model.lines = lines;
    }
}

/// The record as it is now, or one like it.
fn known(model: &Model, token: usize) -> TokenRecord {
    let id = model.ids[token];
    match model.tokens.get(&id) {
        Some(token) => token.record.clone(),
        None => TokenRecord::new(id, owner_of(token), "", at(0)),
    }
}

/// The revision that a caller believes the token to be at.
fn revision(model: &Model, id: TokenId, aim: Aim) -> Revision {
    let now = model.tokens.get(&id).map_or(Revision::FIRST, |token| token.record.revision);
    match aim {
        Aim::Now => now,
        Aim::Before => Revision::new(now.get() - 1),
        Aim::After => now.next(),
    }
}

/// Page by page, to the end.
async fn walk(store: &Nodes, model: &Model, query: &ListQuery) {
    let expected = by_definition(model.tokens.values().map(|token| &token.record), query);
    let mut query = query.clone();
    let mut rest = &expected[..];
    loop {
        let page = store.list(&query).await.expect("an answer");
        let (now, later) = rest.split_at(rest.len().min(query.limit as usize));
        assert_eq!(page.records, now, "{query:?}");
        assert_eq!(
            (page.total, page.more),
            (expected.len() as u64, !later.is_empty()),
            "{query:?}"
        );
        let Some(last) = now.last().filter(|_| page.more) else { return };
        query.after = Some(query.sort.key_of(last));
        rest = later;
    }
}

/// From one of the places that there are, or from behind the last.
async fn follow(store: &Nodes, model: &Model, from: usize, limit: u32) {
    let place = model.lines.get(from).map_or(
        LogPosition { seq: ChangeSeq::new(model.lines.len() as u64 + 1 + from as u64), nonce: 7 },
        |line| line.at,
    );
    let log = store.changes(Some(place), limit).await.expect("an answer");
    let behind = model.lines.get(from..).unwrap_or_default();
    assert_eq!(log.lines, behind[..behind.len().min(limit as usize)]);
    assert_eq!(log.head.seq, model.clock());
    let head = store.changes(None, limit).await.expect("an answer");
    assert_eq!((head.lines.len(), head.head), (0, log.head));
}
