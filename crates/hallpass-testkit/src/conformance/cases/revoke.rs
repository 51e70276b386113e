//! Revoking many tokens by the age of their secrets.

use hallpass_core::store::{ChangeTarget, StoredToken, TokenStore};
use jiff::Timestamp;

use super::check::{assert_same, audited_since, head, logged_since, read};
use crate::conformance::Replicas;
use crate::conformance::samples::{at, event, owner, token};

/// The times at which tokens were created and regenerated, and whether their secrets are older than
/// `at(100)`.
const AGES: [(i64, Option<i64>, bool); 6] = [
    (0, None, true),
    (99, None, true),
    (100, None, false),
    (0, Some(99), true),
    (0, Some(100), false),
    (500, None, false),
];

async fn populated(store: &Replicas, name: &str) -> Vec<(StoredToken, bool)> {
    let mut tokens = Vec::new();
    for (created_at, regenerated_at, is_older) in AGES {
        let mut token = token(name, "ci");
        token.record.created_at = at(created_at);
        token.record.regenerated_at = regenerated_at.map(at);
        store.insert(&token, None, &event()).await.unwrap();
        tokens.push((token, is_older));
    }
    tokens
}

/// Fails unless exactly the expected tokens are revoked, and nothing else has changed.
async fn assert_revoked(store: &Replicas, tokens: &[(StoredToken, bool)], time: Timestamp) {
    for (token, is_revoked) in tokens {
        let mut expected = token.clone();
        if *is_revoked {
            expected.record.revoked_at = Some(time);
            expected.record.revision = expected.record.revision.next();
        }
        assert_same(&read(store, token.record.id).await, &expected);
    }
}

/// Revokes the tokens of all owners in steps. Returns the number of revoked tokens of each step
/// that revoked any.
async fn revoke_in_steps(
    store: &Replicas,
    issued_before: Option<Timestamp>,
    limit: u32,
) -> Vec<u64> {
    let mut counts = Vec::new();
    loop {
        let result = store.revoke_everyone(issued_before, at(7), limit, &event()).await.unwrap();
        assert!(result.count <= u64::from(limit), "{} tokens at once", result.count);
        assert_eq!(result.seq.is_some(), result.count > 0);
        if result.count == 0 {
            return counts;
        }
        counts.push(result.count);
    }
}

pub async fn revoke_owner_respects_issued_before(store: Replicas) {
    let tokens = populated(&store, "alice").await;
    let others = populated(&store, "bob").await;
    let revoke = async |issued_before| {
        let time = at(7);
        store.revoke_owner(&owner("alice"), issued_before, time, &event()).await.unwrap().count
    };
    assert_eq!(revoke(Some(at(0))).await, 0, "no secret is older");
    assert_eq!(revoke(Some(at(100))).await, 3);
    assert_eq!(revoke(Some(at(100))).await, 0, "they are revoked already");
    assert_revoked(&store, &tokens, at(7)).await;
    assert_eq!(revoke(None).await, 3);
    for (token, _) in others {
        assert_same(&read(&store, token.record.id).await, &token);
    }
}

pub async fn revoke_everyone_respects_issued_before(store: Replicas) {
    let mut tokens = populated(&store, "alice").await;
    tokens.extend(populated(&store, "bob").await);
    assert_eq!(revoke_in_steps(&store, Some(at(100)), 100).await.iter().sum::<u64>(), 6);
    assert_revoked(&store, &tokens, at(7)).await;
    assert_eq!(revoke_in_steps(&store, None, 100).await.iter().sum::<u64>(), 6);
}

pub async fn revoke_everyone_respects_the_limit(store: Replicas) {
    let mut tokens = Vec::new();
    for name in ["alice", "bob", "carol"] {
        tokens.extend(populated(&store, name).await);
    }
    assert_eq!(store.revoke_everyone(None, at(7), 0, &event()).await.unwrap().count, 0);
    let before = head(&store).await;
    let counts = revoke_in_steps(&store, Some(at(100)), 4).await;
    assert_eq!(counts.iter().sum::<u64>(), 9);
    assert_revoked(&store, &tokens, at(7)).await;
    let audited = audited_since(&store, before).await;
    assert!(audited.iter().map(|entry| entry.event.count).eq(counts), "one entry for each step");
}

pub async fn revoke_everyone_writes_one_entry_with_target_all(store: Replicas) {
    for name in ["alice", "bob"] {
        populated(&store, name).await;
    }
    let before = head(&store).await;
    let result = store.revoke_everyone(None, at(7), 1_000, &event()).await.unwrap();
    assert_eq!((result.count, result.seq), (12, Some(before.seq.next())));
    assert_eq!(logged_since(&store, before).await, [ChangeTarget::All]);
}
