//! Pruning deletes only tokens that have ended, and respects concurrent changes.

use crate::conformance::Replicas;
use crate::conformance::samples::{at, edited, event, token};
use hallpass_core::store::{ChangeTarget, TokenStore};
use jiff::Timestamp;

use super::check::{at_once, audited_since, exists, head, logged_since, read};

pub async fn prune_deletes_only_tokens_that_ended_before(store: Replicas) {
    let at = |millis: Option<i64>| millis.map(at);
    // Each row contains the expiry, the revocation, and whether the token stays if tokens that
    // ended before 100 are pruned.
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
        store.insert(&token, None, &event()).await.unwrap();
        stored.push((token.record, stays));
    }
    let ended_before = at(Some(100)).unwrap();
    assert_eq!(prune_all(&store, ended_before, 1_000).await.iter().sum::<u64>(), 4);
    for (record, stays) in stored {
        assert_eq!(exists(&store, record.id).await, stays, "{record:?}");
    }
}

/// Prunes until no token is left to prune. Returns the number of deleted tokens of each step that
/// deleted any.
async fn prune_all(store: &Replicas, ended_before: Timestamp, limit: u32) -> Vec<u64> {
    let mut counts = Vec::new();
    loop {
        let count = store.prune(ended_before, limit, &event()).await.unwrap();
        assert!(count <= u64::from(limit), "{count} tokens at once");
        if count == 0 {
            return counts;
        }
        counts.push(count);
    }
}

pub async fn prune_respects_the_limit(store: Replicas) {
    for number in 0..25 {
        let mut token = token(&format!("owner {}", number % 3), "ci");
        token.record.expires_at = Some(at(number));
        store.insert(&token, None, &event()).await.unwrap();
    }
    assert_eq!(store.prune(at(1_000), 0, &event()).await.unwrap(), 0);
    assert_eq!(prune_all(&store, at(1_000), 10).await.iter().sum::<u64>(), 25);
}

pub async fn prune_writes_one_entry_without_a_target(store: Replicas) {
    for _ in 0..5 {
        let mut token = token("alice", "ci");
        token.record.expires_at = Some(at(1));
        store.insert(&token, None, &event()).await.unwrap();
    }
    let before = head(&store).await;
    let counts = prune_all(&store, at(2), 3).await;
    let targets = logged_since(&store, before).await;
    assert_eq!(targets, vec![ChangeTarget::None; counts.len()]);
    let audited = audited_since(&store, before).await;
    assert!(audited.iter().map(|entry| entry.event.count).eq(counts));
}

pub async fn token_extended_during_prune_stays(store: Replicas) {
    let mut ended = Vec::new();
    for number in 0..60 {
        let mut token = token(&format!("owner {}", number % 3), "ci");
        token.record.expires_at = Some(at(number));
        store.insert(&token, None, &event()).await.unwrap();
        ended.push(token.record);
    }
    let prolong = ended.into_iter().step_by(2).map(|record| {
        let store = store.clone();
        async move {
            let longer = edited(&record, |record| record.expires_at = Some(at(5_000)));
            (record.id, store.update(&longer, &event()).await)
        }
    });
    let prune = (0..6).map(|_| {
        let store = store.clone();
        async move {
            let mut pruned = 0;
            for _ in 0..10 {
                pruned += store.prune(at(1_000), 7, &event()).await.unwrap();
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
    let left: u64 = prune_all(&store, at(1_000), 100).await.iter().sum();
    assert_eq!(
        pruned.iter().sum::<u64>() + left + stayed,
        60,
        "each token was either pruned once or stayed"
    );
}
