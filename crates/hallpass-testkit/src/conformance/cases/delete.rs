use crate::conformance::Nodes;
use crate::conformance::samples::{at, edited, owner, token};
use hallpass_core::Revision;
use hallpass_core::store::{BulkResult, ChangeTarget, Deleted, TokenStore};

use super::check::{assert_same, exists, head, logged_since, read};

pub async fn a_token_is_deleted_at_the_expected_revision_only(store: Nodes) {
    let (one, two) = (token("alice", "1"), token("alice", "2"));
    for token in [&one, &two] {
        store.insert(token, None).await.unwrap();
    }
    let before = head(&store).await;
    let second = Some(Revision::FIRST.next());
    assert!(store.delete(one.record.id, second).await.unwrap_err().is_conflict());
    assert!(exists(&store, one.record.id).await);
    assert_eq!(head(&store).await, before, "nothing happened, so nothing is logged");
    store.delete(one.record.id, Some(Revision::FIRST)).await.unwrap();
    store.delete(two.record.id, None).await.unwrap();
    for id in [one.record.id, two.record.id] {
        assert!(!exists(&store, id).await);
        assert!(store.delete(id, None).await.unwrap_err().is_not_found());
        assert!(store.delete(id, second).await.unwrap_err().is_not_found());
    }
}

pub async fn several_are_deleted_at_once_and_the_rest_is_left(store: Nodes) {
    let tokens = [token("alice", "1"), token("alice", "2"), token("bob", "3"), token("bob", "4")];
    for token in &tokens {
        store.insert(token, None).await.unwrap();
    }
    let ids = tokens.each_ref().map(|token| token.record.id);
    let unknown = token("alice", "x").record.id;
    let before = head(&store).await;

    let asked = [ids[0], unknown, ids[2], ids[0]];
    let gone = store.delete_many(Some(&owner("alice")), &asked).await.unwrap();
    let after = head(&store).await;
    let expected = Deleted { tokens: vec![(ids[0], owner("alice"))], seq: Some(after.seq) };
    assert_eq!(gone, expected, "bob's is not alice's to delete");
    assert!(exists(&store, ids[2]).await);
    assert_eq!(logged_since(&store, before).await, [ChangeTarget::Token(ids[0])]);

    let mut gone = store.delete_many(None, &[ids[1], ids[2], unknown]).await.unwrap();
    gone.tokens.sort();
    let mut expected = vec![(ids[1], owner("alice")), (ids[2], owner("bob"))];
    expected.sort();
    assert_eq!(gone.tokens, expected);
    assert_eq!(gone.seq, Some(head(&store).await.seq), "the last number that it took");
    assert_eq!(logged_since(&store, after).await.len(), 2);
    assert_same(&read(&store, ids[3]).await, &tokens[3]);
}

pub async fn nothing_to_delete_is_nothing_logged(store: Nodes) {
    let (alice, bob) = (owner("alice"), owner("bob"));
    let mut revoked = token("alice", "revoked");
    revoked.record.revoked_at = Some(at(1));
    store.insert(&revoked, None).await.unwrap();
    let before = head(&store).await;
    assert_eq!(store.delete_owner(&bob).await.unwrap(), BulkResult::default());
    assert_eq!(store.revoke_owner(&bob, at(2)).await.unwrap(), BulkResult::default());
    assert_eq!(store.revoke_owner(&alice, at(2)).await.unwrap(), BulkResult::default());
    assert_eq!(store.delete_many(None, &[]).await.unwrap(), Deleted::default());
    let hers = [revoked.record.id];
    assert_eq!(store.delete_many(Some(&bob), &hers).await.unwrap(), Deleted::default());
    assert_eq!(head(&store).await, before);
    assert_same(&read(&store, revoked.record.id).await, &revoked);
}

pub async fn deleting_all_of_an_owner_is_one_logged_change(store: Nodes) {
    let other = token("bob", "other");
    store.insert(&other, None).await.unwrap();
    let mut ids = Vec::new();
    for _ in 0..100 {
        let token = token("alice", "ci");
        store.insert(&token, None).await.unwrap();
        ids.push(token.record.id);
    }
    let before = head(&store).await;
    let gone = store.delete_owner(&owner("alice")).await.unwrap();
    assert_eq!(gone, BulkResult { count: 100, seq: Some(before.seq.next()) });
    assert_eq!(logged_since(&store, before).await, [ChangeTarget::Owner(owner("alice"))]);
    for id in ids {
        assert!(!exists(&store, id).await);
    }
    assert_same(&read(&store, other.record.id).await, &other);
}

pub async fn revoking_all_of_an_owner_is_one_logged_change(store: Nodes) {
    let mut tokens =
        [token("alice", "1"), token("alice", "2"), token("alice", "3"), token("bob", "4")];
    tokens[0].record.expires_at = Some(at(-1));
    tokens[1].record.revoked_at = Some(at(-2));
    for token in &tokens {
        store.insert(token, None).await.unwrap();
    }
    let before = head(&store).await;
    let revoked = store.revoke_owner(&owner("alice"), at(5)).await.unwrap();
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
    // Who read a token before it was revoked does not bring it back by mistake.
    let late = edited(&read_before, |record| record.name = "renamed".into());
    assert!(store.change(&late).await.unwrap_err().is_conflict());
}

pub async fn announcing_touches_no_token(store: Nodes) {
    let token = token("alice", "ci");
    store.insert(&token, None).await.unwrap();
    let before = head(&store).await;
    let seq = store.announce(&owner("alice")).await.unwrap();
    assert_eq!(seq, before.seq.next());
    assert_eq!(store.announce(&owner("nobody yet")).await.unwrap(), seq.next());
    let expected = [ChangeTarget::Owner(owner("alice")), ChangeTarget::Owner(owner("nobody yet"))];
    assert_eq!(logged_since(&store, before).await, expected);
    assert_same(&read(&store, token.record.id).await, &token);
}
