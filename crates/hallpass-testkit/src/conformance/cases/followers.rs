//! Readers that follow the change log, as caches do, miss no change of concurrent writers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hallpass_core::store::{ChangeEntry, ChangeSeq, ChangeTarget, TokenStore};
use tokio::task::yield_now;

use super::check::{START, assert_unbroken};
use crate::conformance::Replicas;
use crate::conformance::samples::{at, digest, edited, event, owner, secrets, token};

/// Makes a change of each kind. Returns the target of each change with the sequence number that the
/// store returned.
async fn change_everything(store: &Replicas, name: &str) -> Vec<(ChangeSeq, ChangeTarget)> {
    let mut changes = Vec::new();
    let me = owner(name);
    for _ in 0..3 {
        let (one, two) = (token(name, "one"), token(name, "two"));
        let (a, b) = (one.record.id, two.record.id);
        for token in [&one, &two] {
            let seq = store.insert(token, Some(2), &event()).await.unwrap();
            changes.push((seq, ChangeTarget::Token(token.record.id)));
        }
        let renamed = edited(&one.record, |record| record.name.push('x'));
        changes.push((store.update(&renamed, &event()).await.unwrap(), ChangeTarget::Token(a)));
        // A rejected call takes no number.
        store.update(&renamed, &event()).await.unwrap_err();
        store.insert(&token(name, "three"), Some(2), &event()).await.unwrap_err();
        let rekeyed = store.replace_digest(b, &digest(1), &secrets(2), &event()).await.unwrap();
        changes.push((rekeyed, ChangeTarget::Token(b)));
        changes.push((
            store.log_owner_change(&me, &event()).await.unwrap(),
            ChangeTarget::Owner(me.clone()),
        ));
        let revoked = store.revoke_owner(&me, None, at(1), &event()).await.unwrap().seq.unwrap();
        changes.push((revoked, ChangeTarget::Owner(me.clone())));
        changes.push((store.delete(a, None, &event()).await.unwrap(), ChangeTarget::Token(a)));
        let gone = store.delete_many(None, &[a, b], &event()).await.unwrap().seq.unwrap();
        changes.push((gone, ChangeTarget::Token(b)));
        changes.push((store.insert(&one, None, &event()).await.unwrap(), ChangeTarget::Token(a)));
        let deleted = store.delete_owner(&me, &event()).await.unwrap().seq.unwrap();
        changes.push((deleted, ChangeTarget::Owner(me.clone())));
    }
    changes
}

/// Follows the log in small steps, as a cache does, until `done` is set and the log has been read
/// to its head.
async fn follow(store: &Replicas, done: &AtomicBool) -> Vec<ChangeEntry> {
    const STEP: u32 = 7;
    let mut entries: Vec<ChangeEntry> = Vec::new();
    loop {
        let last_round = done.load(Ordering::Acquire);
        let from = entries.last().map_or(START, |entry| entry.position);
        let log = store.changes(Some(from), STEP).await.unwrap();
        assert_unbroken(&log.entries);
        if let Some(last) = log.entries.last() {
            assert!(last.position.seq <= log.head.seq, "an entry is newer than the head");
            let all = log.entries.len() < STEP as usize;
            assert!(
                !all || last.position == log.head,
                "the entries and the head are from different snapshots"
            );
        }
        let mut lines = log.entries.into_iter();
        if !entries.is_empty() {
            assert_eq!(
                lines.next().map(|entry| entry.position),
                Some(from),
                "the batch does not start at the requested position"
            );
        }
        for entry in lines {
            // A caller that reads the log after a change has returned sees the change.
            if let ChangeTarget::Token(id) = entry.target {
                let as_of = store.get(id).await.unwrap().as_of;
                assert!(as_of >= entry.position.seq, "a change was logged before it was visible");
            }
            entries.push(entry);
        }
        if last_round && entries.last().is_some_and(|entry| entry.position == log.head) {
            return entries;
        }
        yield_now().await;
    }
}

pub async fn follower_misses_no_change_of_many_writers(store: Replicas) {
    const WRITERS: usize = 6;
    let done = Arc::new(AtomicBool::new(false));
    let followers: Vec<_> = (0..2)
        .map(|_| {
            let (store, done) = (store.clone(), done.clone());
            tokio::spawn(async move { follow(&store, &done).await })
        })
        .collect();
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let store = store.clone();
            tokio::spawn(async move { change_everything(&store, &format!("owner {writer}")).await })
        })
        .collect();
    let mut returned = BTreeMap::new();
    for writer in writers {
        let mine = writer.await.expect("no panic");
        assert!(mine.is_sorted_by(|(a, _), (b, _)| a < b), "{mine:?}");
        for (seq, scope) in mine {
            assert!(returned.insert(seq, scope).is_none(), "{seq:?} was returned twice");
        }
    }
    done.store(true, Ordering::Release);
    for follower in followers {
        let entries = follower.await.expect("no panic");
        assert_unbroken(&entries);
        assert_eq!(entries[0].position.seq, START.seq);
        let logged: BTreeMap<_, _> =
            entries.into_iter().map(|entry| (entry.position.seq, entry.target)).collect();
        assert_eq!(logged, returned, "a call returned another number than that of its entry");
    }
}
