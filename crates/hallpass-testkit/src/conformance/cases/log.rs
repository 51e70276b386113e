//! Reads of the change log: positions, limits, and the target of each entry.

use crate::conformance::Replicas;
use crate::conformance::samples::{at, digest, edited, event, owner, secrets, token};
use hallpass_core::store::{ChangeEntry, ChangeSeq, ChangeTarget, LogPosition, TokenStore};

use super::check::{START, assert_unbroken, head, logged_since};

pub async fn new_log_is_empty(store: Replicas) {
    let log = store.changes(None, 100).await.unwrap();
    assert_eq!((log.entries.len(), log.head.seq), (0, ChangeSeq::ZERO));
    let again = store.changes(Some(log.head), 100).await.unwrap();
    assert_eq!((again.entries.len(), again.head), (0, log.head));
}

pub async fn changes_without_a_position_returns_only_the_head(store: Replicas) {
    let seq = store.insert(&token("alice", "ci"), None, &event()).await.unwrap();
    let log = store.changes(None, 100).await.unwrap();
    assert_eq!((log.entries.len(), log.head.seq), (0, seq));
}

pub async fn changes_starts_with_the_requested_position(store: Replicas) {
    let mut heads = vec![head(&store).await];
    for _ in 0..5 {
        store.log_owner_change(&owner("alice"), &event()).await.unwrap();
        heads.push(head(&store).await);
    }
    assert!(heads.iter().all(|head| head.nonce >> 63 == 0), "63 bits: {heads:?}");
    for from in 1..=5 {
        let log = store.changes(Some(heads[from]), 100).await.unwrap();
        let places: Vec<_> = log.entries.iter().map(|entry| entry.position).collect();
        assert_eq!(places, heads[from..]);
        assert_eq!(log.head, heads[5]);
    }
    // There are no entries before the first one and after the last one. The reader must detect
    // that.
    let from_the_start = store.changes(Some(heads[0]), 100).await.unwrap().entries;
    assert_eq!(from_the_start[0].position, heads[1]);
    for beyond in [6, 1 << 40, u64::MAX] {
        let beyond = LogPosition { seq: ChangeSeq::new(beyond), nonce: 1 };
        let log = store.changes(Some(beyond), 100).await.unwrap();
        assert_eq!((log.entries.len(), log.head), (0, heads[5]), "{beyond:?}");
    }
    // The store does not compare the nonce of the position. It also returns entries of another
    // history, and the reader compares the nonce.
    let forked = LogPosition { nonce: heads[3].nonce ^ 1, ..heads[3] };
    assert_eq!(store.changes(Some(forked), 1).await.unwrap().entries[0].position, heads[3]);
}

pub async fn changes_respects_the_limit(store: Replicas) {
    for _ in 0..10 {
        store.log_owner_change(&owner("alice"), &event()).await.unwrap();
    }
    let mut entries: Vec<ChangeEntry> = Vec::new();
    let mut from = START;
    loop {
        let log = store.changes(Some(from), 4).await.unwrap();
        assert!(log.entries.len() <= 4);
        assert_eq!(log.head.seq.get(), 10, "the head is that of the whole log, not of the batch");
        let full = log.entries.len() == 4;
        let known = usize::from(!entries.is_empty());
        entries.extend(log.entries.into_iter().skip(known));
        from = entries.last().unwrap().position;
        if !full {
            break;
        }
    }
    assert_eq!(entries.len(), 10);
    assert_unbroken(&entries);
    assert!(store.changes(Some(from), 0).await.unwrap().entries.is_empty());
}

pub async fn each_change_logs_its_target(store: Replicas) {
    let (one, two, alice) = (token("alice", "1"), token("alice", "2"), owner("alice"));
    let (a, b) = (one.record.id, two.record.id);
    let start = head(&store).await;
    store.insert(&one, None, &event()).await.unwrap();
    store.insert(&two, None, &event()).await.unwrap();
    store.update(&edited(&one.record, |_| {}), &event()).await.unwrap();
    store.replace_digest(b, &digest(1), &secrets(2), &event()).await.unwrap();
    store.log_owner_change(&alice, &event()).await.unwrap();
    store.revoke_owner(&alice, None, at(1), &event()).await.unwrap();
    store.delete(a, None, &event()).await.unwrap();
    store.delete_many(Some(&alice), &[b], &event()).await.unwrap();
    store.insert(&one, None, &event()).await.unwrap();
    store.delete_owner(&alice, &event()).await.unwrap();
    let (token, owner) = (ChangeTarget::Token, ChangeTarget::Owner(alice));
    let expected = [
        token(a),
        token(b),
        token(a),
        token(b),
        owner.clone(),
        owner.clone(),
        token(a),
        token(b),
        token(a),
        owner,
    ];
    assert_eq!(logged_since(&store, start).await, expected);
}
