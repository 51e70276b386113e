//! Random calls on one handle or several, compared with a model of a store.

mod state;
mod step;
mod texts;

use std::collections::HashSet;

use hallpass_core::store::{
    AuditEntry, AuditQuery, Change, ChangeSeq, ChangeTarget, ListQuery, LogPosition, StoredToken,
    TokenStore, TokenUse,
};
use hallpass_core::{Event, EventKind, Revision, TokenId, TokenRecord};
use proptest::collection::vec;

use self::state::{Model, Rejection, owner_of};
use self::step::{Aim, Step, step};
use super::cases::check::{assert_same, everything, whole_log, whole_trail};
use super::cases::pages::{by_definition, counts_by_definition};
use super::place::StoreUnderTest;
use super::replicas::Replicas;
use super::samples::{at, digest, event};
use super::tries::{Tries, all_of};

/// Runs random calls on one to three handles.
pub fn random_calls<P: StoreUnderTest>() {
    run(P::fresh, Tries::from_env());
}

pub(super) fn run<P: StoreUnderTest>(fresh: impl AsyncFn() -> P, tries: Tries) {
    let steps = vec((0..3_usize, step()), 1..60);
    all_of((1..=3_usize, steps), tries, async |(count, steps)| {
        let place = fresh().await;
        history(Replicas::open(&place, count).await, steps).await;
    });
}

async fn history(replicas: Vec<Replicas>, steps: Vec<(usize, Step)>) {
    let count = replicas.len();
    let mut world = World { replicas, model: Model::new() };
    for (replica, step) in steps {
        world.take(replica % count, &step).await;
        world.compare((replica + 1) % count).await;
    }
    for replica in &world.replicas {
        replica.close_all().await;
    }
}

struct World {
    replicas: Vec<Replicas>,
    model: Model,
}

impl World {
    /// Returns an event that no other step has. Times of events never go back.
    fn event(&self, kind: EventKind) -> Event {
        let number = self.model.log.len();
        let mut event = event();
        (event.kind, event.at, event.owner) = (kind, at(number as i64), Some(owner_of(number / 2)));
        event
    }

    /// Makes a call on one of the replicas, and compares its result with the model's.
    async fn take(&mut self, replica: usize, step: &Step) {
        let event = &self.event(match step {
            Step::Insert { .. } => EventKind::Issued,
            Step::Delete { .. } | Step::DeleteMany { .. } => EventKind::Deleted,
            _ => EventKind::Updated,
        });
        let Self { replicas, model } = self;
        let store = &replicas[replica];
        let rejection = |result: Result<ChangeSeq, _>| result.map_err(|e| Rejection::of(&e));
        match step {
            Step::Insert { token, draft, secrets, limit } => {
                let mut record = TokenRecord::new(model.ids[*token], owner_of(*token), "", at(0));
                draft.fill(&mut record);
                let token = StoredToken { record, secrets: secrets.clone() };
                let result = rejection(store.insert(&token, *limit, event).await);
                match model.insert(&token, *limit, event) {
                    Ok(seq) => assert_eq!(result, Ok(seq)),
                    Err(reasons) => assert!(
                        result.is_err_and(|reason| reasons.contains(&reason)),
                        "the store returned {result:?}, expected one of {reasons:?}"
                    ),
                }
            }
            Step::Update { token, at, draft, secrets, kind } => {
                let id = model.ids[*token];
                let mut record = known(model, *token);
                draft.edit(&mut record);
                record.revision = revision(model, id, *at).next();
                let change = Change { record, secrets: secrets.clone(), kind: *kind };
                let result = rejection(store.update(&change, event).await);
                assert_eq!(result, model.update(&change, event));
            }
            Step::ReplaceDigest { token, at, secrets } => {
                let id = model.ids[*token];
                let expected = model.tokens.get(&id).filter(|_| *at == Aim::Now);
                let expected =
                    expected.map_or_else(|| digest(0xEE), |token| token.secrets.current.clone());
                let result = rejection(store.replace_digest(id, &expected, secrets, event).await);
                assert_eq!(result, model.replace_digest(id, &expected, secrets, event));
            }
            Step::Delete { token, at } => {
                let id = model.ids[*token];
                let expected = at.map(|at| revision(model, id, at));
                let result = rejection(store.delete(id, expected, event).await);
                assert_eq!(result, model.delete(id, expected, event));
            }
            Step::DeleteMany { owner, tokens } => {
                let owner = owner.map(owner_of);
                let ids: Vec<_> = tokens.iter().map(|token| model.ids[*token]).collect();
                let result = store.delete_many(owner.as_ref(), &ids, event).await;
                let mut result = result.expect("an answer");
                let before = model.log.len();
                let mut expected = model.delete_many(owner.as_ref(), &ids, event);
                result.tokens.sort();
                expected.tokens.sort();
                assert_eq!(result, expected);
                self.adopt_order_of_deletes(before).await;
            }
            Step::DeleteOwner(owner) => {
                let owner = owner_of(*owner);
                let result = store.delete_owner(&owner, event).await.expect("an answer");
                assert_eq!(result, model.delete_owner(&owner, event));
            }
            Step::RevokeOwner { owner, issued_before, at } => {
                let owner = owner_of(*owner);
                let result = store.revoke_owner(&owner, *issued_before, *at, event).await;
                let ids = model.revocable(Some(&owner), *issued_before);
                let target = ChangeTarget::Owner(owner);
                assert_eq!(result.expect("an answer"), model.revoke(&ids, *at, target, event));
            }
            Step::RevokeEveryone { issued_before, at, limit } => {
                let mut ids = model.revocable(None, *issued_before);
                let result = store.revoke_everyone(*issued_before, *at, *limit, event).await;
                let result = result.expect("an answer");
                assert_step(result.count, *limit, ids.len());
                // The store chooses which of them it revokes.
                let records = store.list(&everything()).await.expect("an answer").records;
                let revoked = records.into_iter().filter(|record| record.revoked_at.is_some());
                let revoked: HashSet<_> = revoked.map(|record| record.id).collect();
                ids.retain(|id| revoked.contains(id));
                assert_eq!(result, model.revoke(&ids, *at, ChangeTarget::All, event));
            }
            Step::LogOwnerChange(owner) => {
                let owner = owner_of(*owner);
                let seq = store.log_owner_change(&owner, event).await.expect("an answer");
                assert_eq!(seq, model.append(ChangeTarget::Owner(owner), event));
            }
            Step::RecordUses(uses) => {
                let mut used_tokens = HashSet::new();
                let uses = uses.iter().filter(|(token, ..)| used_tokens.insert(*token));
                let uses: Vec<_> = uses
                    .map(|(token, aim, at)| {
                        let id = model.ids[*token];
                        TokenUse { id, revision: revision(model, id, *aim), at: *at }
                    })
                    .collect();
                let updated = store.record_uses(&uses).await.expect("an answer");
                assert_eq!(updated, model.record_uses(&uses));
            }
            Step::Prune { ended_before, limit } => {
                let ended = model.ended_before(*ended_before);
                let pruned = store.prune(*ended_before, *limit, event).await.expect("an answer");
                assert_step(pruned, *limit, ended.len());
                // The store chooses which of them it deletes.
                let left = store.list(&everything()).await.expect("an answer").records;
                let left: HashSet<_> = left.into_iter().map(|record| record.id).collect();
                let deleted = ended.iter().filter(|id| !left.contains(id));
                let count = deleted.inspect(|id| drop(model.tokens.remove(id))).count();
                let logged = model.append_bulk(ChangeTarget::None, event, count);
                assert_eq!(logged.count, pruned);
            }
            Step::PruneLog { written_before, limit } => {
                let expected = model.prunable(*written_before);
                let pruned = store.prune_log(*written_before, *limit).await.expect("an answer");
                assert_step(pruned, *limit, expected);
                model.pruned += pruned as usize;
                model.entries.drain(..pruned as usize);
            }
            Step::List(query) => walk(store, model, query).await,
            Step::Follow { from, limit } => follow(store, model, *from, *limit).await,
            Step::Audit(query) => audit(store, model, query).await,
        }
    }

    /// Applies the order in which the store has logged the tokens of one step to the model. A store
    /// may choose the order.
    async fn adopt_order_of_deletes(&mut self, before: usize) {
        let log = whole_log(&self.replicas[0]).await;
        let written: Vec<_> =
            log.into_iter().skip(before - self.model.pruned).map(|entry| entry.target).collect();
        let expected = &mut self.model.log[before..];
        assert_eq!(written.len(), expected.len());
        expected.sort_by_key(|(target, _)| written.iter().position(|written| written == target));
    }

    /// Checks that another replica has exactly the contents of the model.
    async fn compare(&mut self, replica: usize) {
        let (store, model) = (&self.replicas[replica], &mut self.model);
        let all = everything();
        let page = store.list(&all).await.expect("an answer");
        let records = || model.tokens.values().map(|token| &token.record);
        assert_eq!(page.records, by_definition(records(), &all));
        assert_eq!(page.counts, counts_by_definition(records(), &all));
        assert_eq!((page.as_of, page.more), (model.clock(), false));
        for id in &model.ids {
            let found = store.get(*id).await.expect("an answer");
            assert_eq!(found.as_of, model.clock());
            match (&found.value, model.tokens.get(id)) {
                (Some(found), Some(expected)) => assert_same(found, expected),
                (found, expected) => assert!(found.is_none() && expected.is_none(), "{found:?}"),
            }
        }
        let entries = whole_log(store).await;
        assert!(entries.iter().map(|entry| &entry.target).eq(model.kept().iter().map(|(t, _)| t)));
        let known = model.entries.len();
        assert_eq!(entries[..known], model.entries, "a log entry has changed");
        model.entries = entries;
        let seqs = model.entries.iter().map(|entry| entry.position.seq);
        let trail = seqs.zip(model.kept()).map(|(seq, (_, event))| (seq, event));
        let written = whole_trail(store).await;
        assert!(written.iter().map(|entry| (entry.seq, &entry.event)).eq(trail), "{written:?}");
    }
}

/// Checks the size of one step of a call that has to be repeated until it returns 0.
fn assert_step(count: u64, limit: u32, left: usize) {
    assert!(count <= u64::from(limit).min(left as u64), "{count} of {left} at once");
    assert_eq!(count == 0, limit == 0 || left == 0, "{count} of {left} are left");
}

/// Returns the current record, or a new one if there is none.
fn known(model: &Model, token: usize) -> TokenRecord {
    let id = model.ids[token];
    match model.tokens.get(&id) {
        Some(token) => token.record.clone(),
        None => TokenRecord::new(id, owner_of(token), "", at(0)),
    }
}

/// Returns the revision that a caller expects.
fn revision(model: &Model, id: TokenId, aim: Aim) -> Revision {
    let now = model.tokens.get(&id).map_or(Revision::FIRST, |token| token.record.revision);
    match aim {
        Aim::Now => now,
        Aim::Before => Revision::new(now.get() - 1),
        Aim::After => now.next(),
    }
}

/// Reads a list page by page, to the end.
async fn walk(store: &Replicas, model: &Model, query: &ListQuery) {
    let expected = by_definition(model.tokens.values().map(|token| &token.record), query);
    let mut query = query.clone();
    let mut rest = &expected[..];
    loop {
        let page = store.list(&query).await.expect("an answer");
        let (now, later) = rest.split_at(rest.len().min(query.limit as usize));
        assert_eq!(page.records, now, "{query:?}");
        let records = model.tokens.values().map(|token| &token.record);
        assert_eq!(page.counts, counts_by_definition(records, &query), "{query:?}");
        assert_eq!(page.more, !later.is_empty(), "{query:?}");
        let Some(last) = now.last().filter(|_| page.more) else { return };
        query.after = Some(query.sort.key_of(last));
        rest = later;
    }
}

/// Reads the log from one of its positions, or from one beyond its end.
async fn follow(store: &Replicas, model: &Model, from: usize, limit: u32) {
    let position = model.entries.get(from).map_or(
        LogPosition { seq: ChangeSeq::new(model.clock().get() + 1 + from as u64), nonce: 7 },
        |entry| entry.position,
    );
    let log = store.changes(Some(position), limit).await.expect("an answer");
    let expected = model.entries.get(from..).unwrap_or_default();
    assert_eq!(log.entries, expected[..expected.len().min(limit as usize)]);
    assert_eq!(log.head.seq, model.clock());
    let head = store.changes(None, limit).await.expect("an answer");
    assert_eq!((head.entries.len(), head.head), (0, log.head));
}

/// Reads one page of the audit trail.
async fn audit(store: &Replicas, model: &Model, query: &AuditQuery) {
    let seqs = model.entries.iter().map(|entry| entry.position.seq);
    let mut expected: Vec<_> = seqs
        .zip(model.kept())
        .filter(|(seq, (_, event))| {
            let is_after = query
                .after
                .is_none_or(|after| if query.ascending { *seq > after } else { *seq < after });
            is_after && query.matches(event)
        })
        .map(|(seq, (_, event))| AuditEntry::new(seq, event.clone()))
        .collect();
    if !query.ascending {
        expected.reverse();
    }
    let page = store.audit(query).await.expect("an answer");
    assert_eq!(page.more, expected.len() > query.limit as usize, "{query:?}");
    expected.truncate(query.limit as usize);
    assert_eq!(page.entries, expected, "{query:?}");
}
