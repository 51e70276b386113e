//! A read and its sequence number come from one snapshot.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hallpass_core::TokenId;
use hallpass_core::store::{ChangeSeq, ListQuery, TokenStore};
use tokio::task::yield_now;

use super::check::{Watcher, everything};
use crate::conformance::Replicas;
use crate::conformance::samples::{at, edited, event, owner, token};

pub async fn as_of_is_exact_for_one_token(store: Replicas) {
    let token = token("alice", "ci");
    let first = store.insert(&token, None, &event()).await.unwrap();
    // Only this token changes, so each number of the log is one of its revisions.
    let id = token.record.id;
    let read = move |store: Replicas| async move {
        let snapshot = store.get(id).await.unwrap();
        let record = snapshot.value.unwrap().record;
        let changes = snapshot.as_of.get() - first.get();
        assert_eq!(
            record.revision.get(),
            1 + changes,
            "the record and `as_of` are from different snapshots"
        );
    };
    let readers = [(); 4].map(|()| Watcher::start(&store, read));
    let mut record = token.record;
    for round in 0..100 {
        let change = edited(&record, |record| record.name = format!("round {round}"));
        store.update(&change, &event()).await.unwrap();
        record = change.record;
    }
    for reader in readers {
        reader.end().await;
    }
}

pub async fn list_as_of_includes_everything_shown(store: Replicas) {
    let token = token("alice", "ci");
    let first = store.insert(&token, None, &event()).await.unwrap();
    let read = move |store: Replicas| async move {
        let page = store.list(&everything()).await.unwrap();
        let changes = page.as_of.get() - first.get();
        let revision = page.records[0].revision.get();
        assert!(
            revision <= 1 + changes,
            "revision {revision} is listed, but `as_of` covers only {changes} changes"
        );
    };
    let readers = [(); 4].map(|()| Watcher::start(&store, read));
    let mut record = token.record;
    for round in 0..100 {
        let change = edited(&record, |record| record.name = format!("round {round}"));
        store.update(&change, &event()).await.unwrap();
        record = change.record;
    }
    for reader in readers {
        reader.end().await;
    }
}

/// The revision of each token by sequence number, or `None` if the token did not exist.
#[derive(Default)]
struct History(BTreeMap<TokenId, BTreeMap<ChangeSeq, Option<u64>>>);

impl History {
    fn note(&mut self, seq: ChangeSeq, id: TokenId, revision: Option<u64>) {
        self.0.entry(id).or_default().insert(seq, revision);
    }

    fn at(&self, id: TokenId, as_of: ChangeSeq) -> Option<u64> {
        let states = self.0.get(&id)?;
        states.range(..=as_of).next_back().and_then(|(_, revision)| *revision)
    }
}

/// Changes the two tokens of one owner repeatedly, in a fixed cycle. No other task changes them.
async fn lives(store: &Replicas, name: &str, ids: [TokenId; 2]) -> History {
    let mut history = History::default();
    let tokens = ids.map(|id| {
        let mut token = token(name, "ci");
        token.record.id = id;
        token
    });
    for round in 0..6 {
        for token in &tokens {
            let seq = store.insert(token, Some(2), &event()).await.unwrap();
            history.note(seq, token.record.id, Some(1));
        }
        let renamed = edited(&tokens[0].record, |record| record.name = format!("round {round}"));
        history.note(store.update(&renamed, &event()).await.unwrap(), ids[0], Some(2));
        let revoked =
            store.revoke_owner(&owner(name), None, at(1), &event()).await.unwrap().seq.unwrap();
        history.note(revoked, ids[0], Some(3));
        history.note(revoked, ids[1], Some(2));
        let deleted = if round % 2 == 0 {
            store.delete_many(None, &ids, &event()).await.unwrap().seq
        } else {
            store.delete_owner(&owner(name), &event()).await.unwrap().seq
        };
        for id in ids {
            history.note(deleted.unwrap(), id, None);
        }
    }
    history
}

pub async fn as_of_agrees_with_the_order_of_changes(store: Replicas) {
    let owners = ["alice", "bob", "carol"];
    let ids = owners.map(|name| [token(name, "ci").record.id, token(name, "ci").record.id]);
    let done = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..3)
        .map(|reader| {
            let (store, done) = (store.clone(), done.clone());
            tokio::spawn(async move {
                let mut readings = Vec::new();
                let mut turn = reader;
                while !done.load(Ordering::Relaxed) || readings.is_empty() {
                    let id = ids[turn % 3][turn / 3 % 2];
                    let snapshot = store.get(id).await.unwrap();
                    readings.push((
                        id,
                        snapshot.as_of,
                        snapshot.value.map(|token| token.record.revision.get()),
                    ));
                    turn += 1;
                    yield_now().await;
                }
                readings
            })
        })
        .collect();
    let writers: Vec<_> = owners
        .into_iter()
        .zip(ids)
        .map(|(name, ids)| {
            let store = store.clone();
            tokio::spawn(async move { lives(&store, name, ids).await })
        })
        .collect();
    let mut history = History::default();
    for writer in writers {
        history.0.extend(writer.await.expect("no panic").0);
    }
    done.store(true, Ordering::Relaxed);
    for reader in readers {
        for (id, as_of, revision) in reader.await.expect("no panic") {
            assert_eq!(revision, history.at(id, as_of), "{id} as of {as_of:?}");
        }
    }
}

pub async fn bulk_changes_are_seen_in_full_or_not_at_all(store: Replicas) {
    const MANY: u64 = 20;
    let watcher = Watcher::start(&store, |store| async move {
        let hers = ListQuery { owner: Some(owner("alice")), ..everything() };
        let records = store.list(&hers).await.unwrap().records;
        let revoked = records.iter().filter(|record| record.revoked_at.is_some()).count();
        let others = records.iter().filter(|record| record.name == "last").count();
        // The last token is inserted when the others exist, and is revoked and deleted with them.
        if others > 0 {
            assert_eq!(records.len() as u64, MANY, "some of them are gone");
            assert!(revoked == 0 || revoked as u64 == MANY, "{revoked} are revoked");
        } else {
            assert_eq!(revoked, 0, "the last token was deleted before the others");
        }
    });
    for round in 0..6 {
        let mut ids = Vec::new();
        for number in 1..=MANY {
            let token = token("alice", if number == MANY { "last" } else { "one" });
            store.insert(&token, None, &event()).await.unwrap();
            ids.push(token.record.id);
        }
        assert_eq!(
            store.revoke_owner(&owner("alice"), None, at(1), &event()).await.unwrap().count,
            MANY
        );
        if round % 2 == 0 {
            assert_eq!(store.delete_owner(&owner("alice"), &event()).await.unwrap().count, MANY);
        } else {
            let deleted = store.delete_many(Some(&owner("alice")), &ids, &event()).await.unwrap();
            assert_eq!(deleted.tokens.len() as u64, MANY);
        }
    }
    watcher.end().await;
}
