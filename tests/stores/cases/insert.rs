use std::sync::Arc;

use futures::future::join_all;
use hallpass_core::store::{Bulk, PreviousSecret, TokenStore};
use hallpass_core::{Digest, ScopeSet, TokenRecord};
use hallpass_tests::tokens::{at, digest, owner, token};

use super::{assert_same, exists, head, read};

pub(crate) async fn a_token_comes_back_as_it_was_put_in(store: impl TokenStore) {
    let bare = token("alice", "bare");
    let mut full = token("acme/41 – Zoë 'x' \"y\"", "Größe; DROP TABLE tokens -- 😀");
    full.record.description = "line\r\nline\twith a tab, 100% of _ and \\".to_owned();
    full.record.scopes = ScopeSet::parse(["projects:read:42", "jobs", "*:list"]).unwrap();
    full.record.created_at = at(123);
    full.record.expires_at = Some("9999-12-30T21:59:59.999Z".parse().unwrap());
    full.record.last_used_at = Some(at(2));
    full.record.revoked_at = Some(at(3));
    full.record.regenerated_at = Some(at(-4));
    full.record.revision = full.record.revision.next();
    full.secrets.current = Digest::from_parts("hmac-sha256:2026", &[0xFF; 32]).unwrap();
    full.secrets.previous = Some(PreviousSecret { digest: digest(0), until: at(5) });
    for token in [&bare, &full] {
        store.insert(token, None).await.unwrap();
    }
    for token in [&bare, &full] {
        assert_same(&read(&store, token.record.id).await, token);
    }
}

pub(crate) async fn an_id_is_taken_once(store: impl TokenStore) {
    let first = token("alice", "first");
    store.insert(&first, None).await.unwrap();
    let mut second = token("bob", "second");
    second.record.id = first.record.id;
    let refused = store.insert(&second, Some(50)).await.unwrap_err();
    assert!(refused.is_duplicate(), "{refused}");
    assert_same(&read(&store, first.record.id).await, &first);
}

pub(crate) async fn a_refused_insert_changes_nothing(store: impl TokenStore) {
    let first = token("alice", "first");
    store.insert(&first, Some(1)).await.unwrap();
    let before = head(&store).await;
    let second = token("alice", "second");
    assert_eq!(store.insert(&second, Some(1)).await.unwrap_err().limit_in_use(), Some(1));
    assert_eq!(store.insert(&second, Some(0)).await.unwrap_err().limit_in_use(), Some(1));
    assert!(store.insert(&first, None).await.unwrap_err().is_duplicate());
    assert!(!exists(&store, second.record.id).await);
    assert_eq!(head(&store).await, before, "nothing happened, so nothing is logged");
}

pub(crate) async fn of_200_concurrent_inserts_at_49_of_50_one_succeeds(store: impl TokenStore) {
    for _ in 0..49 {
        store.insert(&token("alice", "ci"), Some(50)).await.unwrap();
    }
    let store = Arc::new(store);
    let inserts = (0..200).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { store.insert(&token("alice", "ci"), Some(50)).await })
    });
    let answers: Vec<_> =
        join_all(inserts).await.into_iter().map(|answer| answer.expect("no panic")).collect();
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    for refused in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert_eq!(refused.limit_in_use(), Some(50), "{refused}");
    }
    let deleted = store.delete_owner(&owner("alice")).await.unwrap();
    assert!(matches!(deleted, Bulk { count: 50, .. }), "{deleted:?}");
}

pub(crate) async fn the_limit_counts_revoked_and_expired_tokens(store: impl TokenStore) {
    let ends: [fn(&mut TokenRecord); 2] =
        [|record| record.revoked_at = Some(at(-1)), |record| record.expires_at = Some(at(-1))];
    for end in ends {
        let mut ended = token("alice", "ended");
        end(&mut ended.record);
        store.insert(&ended, Some(2)).await.unwrap();
    }
    let refused = store.insert(&token("alice", "third"), Some(2)).await.unwrap_err();
    assert_eq!(refused.limit_in_use(), Some(2));
}

pub(crate) async fn the_limit_is_each_owners_own(store: impl TokenStore) {
    // Owners are compared byte for byte.
    for owner in ["alice", "Alice", "alice ", "älice", "a%", "a_", "bob"] {
        store.insert(&token(owner, "one"), Some(1)).await.unwrap();
    }
    store.insert(&token("alice", "two"), None).await.unwrap();
    assert_eq!(
        store.insert(&token("alice", "x"), Some(1)).await.unwrap_err().limit_in_use(),
        Some(2)
    );
    store.insert(&token("alice", "three"), Some(3)).await.unwrap();
}
