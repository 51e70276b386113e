use crate::conformance::Nodes;
use crate::conformance::samples::{at, edited, token};
use hallpass_core::store::TokenStore;

use super::check::{at_once, exists, head, read};

pub async fn what_ended_before_goes_and_the_rest_stays(store: Nodes) {
    let at = |millis: Option<i64>| millis.map(at);
    // Expiry, revocation, whether it stays when what ended before 100 goes.
    let cases = [
        (None, None, true),
        (Some(99), None, false),
        (Some(100), None, true),
        (Some(5_000), None, true),
        (None, Some(99), false),
        (None, Some(100), true),
        (Some(99), Some(150), false),
        (Some(150), Some(99), false),
        (Some(150), Some(150), true),
    ];
    let mut stored = Vec::new();
    for (expires_at, revoked_at, stays) in cases {
        let mut token = token("alice", "ci");
        token.record.expires_at = at(expires_at);
        token.record.revoked_at = at(revoked_at);
        store.insert(&token, None).await.unwrap();
        stored.push((token.record, stays));
    }
    assert_eq!(store.prune(at(Some(100)).unwrap(), 1_000).await.unwrap(), 4);
    for (record, stays) in stored {
        assert_eq!(exists(&store, record.id).await, stays, "{record:?}");
    }
    assert_eq!(store.prune(at(Some(100)).unwrap(), 1_000).await.unwrap(), 0);
}

pub async fn a_batch_is_bounded(store: Nodes) {
    for number in 0..25 {
        let mut token = token(&format!("owner {}", number % 3), "ci");
        token.record.expires_at = Some(at(number));
        store.insert(&token, None).await.unwrap();
    }
    for expected in [0, 10, 10, 5, 0] {
        let limit = if expected == 0 { 0 } else { 10 };
        assert_eq!(store.prune(at(1_000), limit).await.unwrap(), expected);
    }
    assert_eq!(store.prune(at(1_000), 10).await.unwrap(), 0);
}

pub async fn pruning_is_not_logged(store: Nodes) {
    let mut token = token("alice", "ci");
    token.record.expires_at = Some(at(1));
    store.insert(&token, None).await.unwrap();
    let before = head(&store).await;
    assert_eq!(store.prune(at(2), 10).await.unwrap(), 1);
    assert_eq!(head(&store).await, before);
    let lines = store.changes(Some(before), 10).await.unwrap().lines;
    assert_eq!(lines.len(), 1, "what was logged a moment ago is kept");
}

pub async fn what_is_prolonged_while_others_are_pruned_stays(store: Nodes) {
    let mut ended = Vec::new();
    for number in 0..60 {
        let mut token = token(&format!("owner {}", number % 3), "ci");
        token.record.expires_at = Some(at(number));
        store.insert(&token, None).await.unwrap();
        ended.push(token.record);
    }
    let prolong = ended.into_iter().step_by(2).map(|record| {
        let store = store.clone();
        async move {
            let longer = edited(&record, |record| record.expires_at = Some(at(5_000)));
            (record.id, store.change(&longer).await)
        }
    });
    let prune = (0..6).map(|_| {
        let store = store.clone();
        async move {
            let mut pruned = 0;
            for _ in 0..10 {
                pruned += store.prune(at(1_000), 7).await.unwrap();
            }
            pruned
        }
    });
    let (prolonged, pruned) = tokio::join!(at_once(prolong), at_once(prune));
    let mut stayed = 0;
    for (id, answer) in prolonged {
        match answer {
            Ok(_) => {
                assert_eq!(read(&store, id).await.record.expires_at, Some(at(5_000)));
                stayed += 1;
            }
            Err(gone) => {
                assert!(gone.is_not_found(), "{gone}");
                assert!(!exists(&store, id).await);
            }
        }
    }
    let left = store.prune(at(1_000), 100).await.unwrap();
    assert_eq!(pruned.iter().sum::<u64>() + left + stayed, 60, "each was pruned once, or stayed");
}
