//! Tests of calls that concern one token.

use hallpass_core::Revision;
use hallpass_core::store::{
    Change, ChangeSeq, ChangeTarget, LogPosition, PreviousSecret, Secrets, TokenStore as _,
    TokenUse,
};

use super::*;

fn assert_same(found: &StoredToken, expected: &StoredToken) {
    assert_eq!(found.record, expected.record);
    assert!(found.secrets.current.ct_eq(&expected.secrets.current));
    assert_eq!(found.secrets.previous.is_some(), expected.secrets.previous.is_some());
    if let (Some(found), Some(expected)) = (&found.secrets.previous, &expected.secrets.previous) {
        assert!(found.digest.ct_eq(&expected.digest));
        assert_eq!(found.until, expected.until);
    }
}

#[tokio::test]
async fn stored_token_comes_back_unchanged() {
    let store = store().await;
    for token in [token("alice", "ci"), full_token()] {
        let seq = store.insert(&token, Some(1), &event()).await.unwrap();
        let found = store.get(token.record.id).await.unwrap();
        assert_eq!(found.as_of, seq);
        assert_same(&found.value.unwrap(), &token);
        let owner = Some(token.record.owner.clone());
        let listed = store.list(&ListQuery { owner, ..everything() }).await.unwrap();
        assert_eq!(listed.records, std::slice::from_ref(&token.record));
        assert!(store.insert(&token, None, &event()).await.unwrap_err().is_duplicate());
    }
    assert!(store.get(token("alice", "ci").record.id).await.unwrap().value.is_none());
    store.ping().await.unwrap();
}

#[tokio::test]
async fn times_in_all_years_are_kept_and_ordered() {
    let store = store().await;
    let latest = 253_402_207_200_000;
    let mut stored = Vec::new();
    for millis in [Timestamp::MIN.as_millisecond(), -1, 0, 1, latest - 1, latest] {
        let mut token = token("alice", "ci");
        let time = Timestamp::from_millisecond(millis).unwrap();
        token.record.created_at = time;
        token.record.expires_at = Some(time);
        store.insert(&token, None, &event()).await.unwrap();
        let usage = TokenUse { id: token.record.id, revision: Revision::FIRST, at: time };
        assert_eq!(store.record_uses(&[usage]).await.unwrap(), 1);
        assert_eq!(store.record_uses(&[usage]).await.unwrap(), 0);
        token.record.last_used_at = Some(time);
        stored.insert(0, token.record);
    }
    assert_eq!(store.list(&everything()).await.unwrap().records, stored);
    for (number, record) in stored.iter().rev().enumerate() {
        let before = record.expires_at.unwrap();
        assert_eq!(store.prune(before, 10, &event()).await.unwrap(), u64::from(number > 0));
    }
}

#[tokio::test]
async fn update_replaces_everything_but_the_last_use() {
    let store = store().await;
    let token = full_token();
    let id = token.record.id;
    store.insert(&token, None, &event()).await.unwrap();
    let change = edited(&token.record, |record| {
        record.name = "renamed".into();
        record.description.clear();
        record.scopes = ScopeSet::default();
        record.metadata = Metadata::default();
        record.created_at = at(9);
        (record.expires_at, record.revoked_at, record.regenerated_at) = (None, None, None);
        record.last_used_at = None;
    });
    store.update(&change, &event()).await.unwrap();
    assert!(store.update(&change, &event()).await.unwrap_err().is_conflict());
    let mut expected = change.record.clone();
    expected.last_used_at = token.record.last_used_at;
    let found = store.get(id).await.unwrap().value.unwrap();
    assert_same(&found, &StoredToken { record: expected.clone(), secrets: token.secrets.clone() });

    // A change with new secrets replaces the current digest and drops the previous one.
    let change = Change { secrets: Some(secrets(7)), ..edited(&expected, |_| {}) };
    store.update(&change, &event()).await.unwrap();
    let found = store.get(id).await.unwrap().value.unwrap();
    expected = change.record.clone();
    expected.previous_secret_expires_at = None;
    assert_same(&found, &StoredToken { record: expected, secrets: secrets(7) });

    // A list sorts by the time of creation.
    let other = super::token("bob", "ci");
    store.insert(&other, None, &event()).await.unwrap();
    let names: Vec<_> = store.list(&everything()).await.unwrap().records;
    assert_eq!(names.iter().map(|record| &*record.name).collect::<Vec<_>>(), ["renamed", "ci"]);
    store.delete(id, None, &event()).await.unwrap();
    assert!(store.update(&change, &event()).await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn replace_digest_needs_the_expected_digest() {
    let store = store().await;
    let token = token("alice", "ci");
    let id = token.record.id;
    store.insert(&token, None, &event()).await.unwrap();
    let previous = Some(PreviousSecret { digest: digest(3), until: at(8) });
    let both = Secrets { current: digest(2), previous };
    let rejected = store.replace_digest(id, &digest(9), &both, &event()).await.unwrap_err();
    assert!(rejected.is_conflict());
    store.replace_digest(id, &digest(1), &both, &event()).await.unwrap();
    let mut expected = StoredToken { record: token.record, secrets: both };
    expected.record.previous_secret_expires_at = Some(at(8));
    assert_same(&store.get(id).await.unwrap().value.unwrap(), &expected);
    store.replace_digest(id, &digest(2), &secrets(4), &event()).await.unwrap();
    assert!(store.get(id).await.unwrap().value.unwrap().secrets.previous.is_none());
    let unknown = super::token("alice", "ci").record.id;
    let missing = store.replace_digest(unknown, &digest(1), &secrets(4), &event()).await;
    assert!(missing.unwrap_err().is_not_found());
}

#[tokio::test]
async fn delete_checks_the_revision() {
    let store = store().await;
    let token = token("alice", "ci");
    let id = token.record.id;
    store.insert(&token, None, &event()).await.unwrap();
    let conflict = store.delete(id, Some(Revision::new(2)), &event()).await.unwrap_err();
    assert!(conflict.is_conflict());
    store.delete(id, Some(Revision::FIRST), &event()).await.unwrap();
    assert!(store.delete(id, None, &event()).await.unwrap_err().is_not_found());
    assert!(store.list(&everything()).await.unwrap().records.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn limit_is_exact_under_concurrent_inserts() {
    let store = store().await;
    for _ in 0..7 {
        store.insert(&token("alice", "ci"), Some(10), &event()).await.unwrap();
    }
    let inserts = (0..32).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { store.insert(&token("alice", "ci"), Some(10), &event()).await })
    });
    let results: Vec<_> = futures::future::join_all(inserts).await;
    let inserted = results.iter().filter(|result| matches!(result, Ok(Ok(_)))).count();
    assert_eq!(inserted, 3);
    for result in results {
        assert!(result.unwrap().err().is_none_or(|error| error.limit_in_use() == Some(10)));
    }
    assert_eq!(head(&store).await, 10);
    store
        .insert(&token("bob", "ci"), Some(1), &event())
        .await
        .expect("the limit must not apply to another owner");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_concurrent_updates_one_wins() {
    let store = store().await;
    let token = token("alice", "ci");
    store.insert(&token, None, &event()).await.unwrap();
    let updates = (0..32).map(|number| {
        let change = edited(&token.record, |record| record.name = format!("{number}"));
        let store = store.clone();
        tokio::spawn(async move { store.update(&change, &event()).await })
    });
    let results: Vec<_> = futures::future::join_all(updates).await;
    assert_eq!(results.iter().filter(|result| matches!(result, Ok(Ok(_)))).count(), 1);
}

#[tokio::test]
async fn each_log_entry_names_the_target_to_invalidate() {
    let store = store().await;
    let start = store.changes(None, 0).await.unwrap().head;
    assert_eq!(start.seq, ChangeSeq::ZERO);
    let (one, two, alice) = (token("alice", "1"), token("alice", "2"), owner("alice"));
    let (a, b) = (one.record.id, two.record.id);
    store.insert(&one, None, &event()).await.unwrap();
    store.insert(&two, None, &event()).await.unwrap();
    store.update(&edited(&one.record, |_| {}), &event()).await.unwrap();
    store.replace_digest(b, &digest(1), &secrets(2), &event()).await.unwrap();
    store.log_owner_change(&alice, &event()).await.unwrap();
    store.revoke_owner(&alice, None, at(1), &event()).await.unwrap();
    store.delete(a, None, &event()).await.unwrap();
    store.delete_many(Some(&alice), &[b], &event()).await.unwrap();
    store.insert(&one, None, &event()).await.unwrap();
    store.revoke_everyone(None, at(1), 10, &event()).await.unwrap();
    store.prune(at(2), 10, &event()).await.unwrap();
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
        ChangeTarget::All,
        ChangeTarget::None,
        token(a),
        owner,
    ];
    let log = store.changes(Some(start), 100).await.unwrap();
    let targets: Vec<_> = log.entries.iter().map(|entry| entry.target.clone()).collect();
    assert_eq!(targets, expected);
    assert_eq!(log.entries.last().unwrap().position, log.head);
    assert!(log.time.is_some());
    let seqs: Vec<_> = log.entries.iter().map(|entry| entry.position.seq.get()).collect();
    assert_eq!(seqs, (1..=13).collect::<Vec<_>>());
    // `changes` returns the entry at its cursor first.
    let from = log.entries[4].position;
    let some = store.changes(Some(from), 2).await.unwrap();
    assert_eq!(some.entries, log.entries[4..6]);
    let beyond = LogPosition { seq: ChangeSeq::new(u64::MAX), nonce: 1 };
    assert!(store.changes(Some(beyond), 2).await.unwrap().entries.is_empty());
}
