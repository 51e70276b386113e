//! Deleting one token, several, or all of an owner, and the log entries of these calls.

use crate::conformance::Replicas;
use crate::conformance::samples::{at, edited, event, owner, token};
use hallpass_core::Revision;
use hallpass_core::store::{BulkResult, ChangeTarget, Deleted, TokenStore};

use super::check::{assert_same, exists, head, logged_since, read};

pub async fn delete_requires_the_expected_revision(store: Replicas) {
    let (one, two) = (token("alice", "1"), token("alice", "2"));
    for token in [&one, &two] {
        store.insert(token, None, &event()).await.unwrap();
    }
    let before = head(&store).await;
    let second = Some(Revision::FIRST.next());
    assert!(store.delete(one.record.id, second, &event()).await.unwrap_err().is_conflict());
    assert!(exists(&store, one.record.id).await);
    assert_eq!(head(&store).await, before, "a rejected call wrote a log entry");
    store.delete(one.record.id, Some(Revision::FIRST), &event()).await.unwrap();
    store.delete(two.record.id, None, &event()).await.unwrap();
    for id in [one.record.id, two.record.id] {
        assert!(!exists(&store, id).await);
        assert!(store.delete(id, None, &event()).await.unwrap_err().is_not_found());
        assert!(store.delete(id, second, &event()).await.unwrap_err().is_not_found());
    }
}

pub async fn delete_many_deletes_only_what_was_asked_for(store: Replicas) {
    let tokens = [token("alice", "1"), token("alice", "2"), token("bob", "3"), token("bob", "4")];
    for token in &tokens {
        store.insert(token, None, &event()).await.unwrap();
    }
    let ids = tokens.each_ref().map(|token| token.record.id);
    let unknown = token("alice", "x").record.id;
    let before = head(&store).await;

    let requested = [ids[0], unknown, ids[2], ids[0]];
    let gone = store.delete_many(Some(&owner("alice")), &requested, &event()).await.unwrap();
    let after = head(&store).await;
    let expected = Deleted { tokens: vec![(ids[0], owner("alice"))], seq: Some(after.seq) };
    assert_eq!(gone, expected, "a token of another owner was deleted");
    assert!(exists(&store, ids[2]).await);
    assert_eq!(logged_since(&store, before).await, [ChangeTarget::Token(ids[0])]);

    let mut gone = store.delete_many(None, &[ids[1], ids[2], unknown], &event()).await.unwrap();
    gone.tokens.sort();
    let mut expected = vec![(ids[1], owner("alice")), (ids[2], owner("bob"))];
    expected.sort();
    assert_eq!(gone.tokens, expected);
    assert_eq!(
        gone.seq,
        Some(head(&store).await.seq),
        "the returned number is not that of the last entry"
    );
    assert_eq!(logged_since(&store, after).await.len(), 2);
    assert_same(&read(&store, ids[3]).await, &tokens[3]);
}

pub async fn bulk_calls_that_change_nothing_write_no_entry(store: Replicas) {
    let (alice, bob) = (owner("alice"), owner("bob"));
    let mut revoked = token("alice", "revoked");
    revoked.record.revoked_at = Some(at(1));
    store.insert(&revoked, None, &event()).await.unwrap();
    let before = head(&store).await;
    assert_eq!(store.delete_owner(&bob, &event()).await.unwrap(), BulkResult::default());
    assert_eq!(
        store.revoke_owner(&bob, None, at(2), &event()).await.unwrap(),
        BulkResult::default()
    );
    assert_eq!(
        store.revoke_owner(&alice, None, at(2), &event()).await.unwrap(),
        BulkResult::default()
    );
    assert_eq!(store.delete_many(None, &[], &event()).await.unwrap(), Deleted::default());
    let hers = [revoked.record.id];
    assert_eq!(store.delete_many(Some(&bob), &hers, &event()).await.unwrap(), Deleted::default());
    assert_eq!(head(&store).await, before);
    assert_same(&read(&store, revoked.record.id).await, &revoked);
}

pub async fn delete_owner_writes_one_log_entry(store: Replicas) {
    let other = token("bob", "other");
    store.insert(&other, None, &event()).await.unwrap();
    let mut ids = Vec::new();
    for _ in 0..100 {
        let token = token("alice", "ci");
        store.insert(&token, None, &event()).await.unwrap();
        ids.push(token.record.id);
    }
    let before = head(&store).await;
    let gone = store.delete_owner(&owner("alice"), &event()).await.unwrap();
    assert_eq!(gone, BulkResult { count: 100, seq: Some(before.seq.next()) });
    assert_eq!(logged_since(&store, before).await, [ChangeTarget::Owner(owner("alice"))]);
    for id in ids {
        assert!(!exists(&store, id).await);
    }
    assert_same(&read(&store, other.record.id).await, &other);
}

pub async fn revoke_owner_writes_one_log_entry(store: Replicas) {
    let mut tokens =
        [token("alice", "1"), token("alice", "2"), token("alice", "3"), token("bob", "4")];
    tokens[0].record.expires_at = Some(at(-1));
    tokens[1].record.revoked_at = Some(at(-2));
    for token in &tokens {
        store.insert(token, None, &event()).await.unwrap();
    }
    let before = head(&store).await;
    let revoked = store.revoke_owner(&owner("alice"), None, at(5), &event()).await.unwrap();
    assert_eq!(revoked, BulkResult { count: 2, seq: Some(before.seq.next()) });
    assert_eq!(logged_since(&store, before).await, [ChangeTarget::Owner(owner("alice"))]);
    let read_before = tokens[2].record.clone();
    for token in [0, 2] {
        let record = &mut tokens[token].record;
        record.revoked_at = Some(at(5));
        record.revision = record.revision.next();
    }
    for token in &tokens {
        assert_same(&read(&store, token.record.id).await, token);
    }
    // A caller that has read a token before it was revoked cannot change it any more.
    let late = edited(&read_before, |record| record.name = "renamed".into());
    assert!(store.update(&late, &event()).await.unwrap_err().is_conflict());
}

pub async fn log_owner_change_changes_no_token(store: Replicas) {
    let token = token("alice", "ci");
    store.insert(&token, None, &event()).await.unwrap();
    let before = head(&store).await;
    let seq = store.log_owner_change(&owner("alice"), &event()).await.unwrap();
    assert_eq!(seq, before.seq.next());
    assert_eq!(
        store.log_owner_change(&owner("unknown owner"), &event()).await.unwrap(),
        seq.next()
    );
    let expected =
        [ChangeTarget::Owner(owner("alice")), ChangeTarget::Owner(owner("unknown owner"))];
    assert_eq!(logged_since(&store, before).await, expected);
    assert_same(&read(&store, token.record.id).await, &token);
}
