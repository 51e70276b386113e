//! Inserts: the token comes back unchanged, and a rejected insert changes nothing.

use crate::conformance::Replicas;
use crate::conformance::samples::{at, digest, event, token};
use hallpass_core::store::{PreviousSecret, TokenStore};
use hallpass_core::{Digest, Metadata, ScopeSet};

use super::check::{assert_same, exists, head, read};

pub async fn inserted_token_comes_back_unchanged(store: Replicas) {
    let bare = token("alice", "bare");
    let mut full = token("acme/41 – Zoë 'x' \"y\"", "Größe; DROP TABLE tokens -- 😀");
    full.record.description = "line\r\nline\twith a tab, 100% of _ and \\".to_owned();
    full.record.scopes = ScopeSet::parse(["projects:read:42", "jobs", "*:list"]).unwrap();
    full.record.metadata = Metadata::new([("team", "bü\"ild")]).unwrap();
    full.record.created_at = at(123);
    full.record.expires_at = Some("9999-12-30T21:59:59.999Z".parse().unwrap());
    full.record.last_used_at = Some(at(2));
    full.record.revoked_at = Some(at(3));
    full.record.regenerated_at = Some(at(-4));
    full.record.revision = full.record.revision.next();
    full.secrets.current = Digest::from_parts("hmac-sha256-v1:2026", &[0xFF; 32]).unwrap();
    full.secrets.previous = Some(PreviousSecret { digest: digest(0), until: at(5) });
    for token in [&bare, &full] {
        store.insert(token, None, &event()).await.unwrap();
    }
    for token in [&bare, &full] {
        assert_same(&read(&store, token.record.id).await, token);
    }
}

pub async fn insert_of_a_known_id_is_a_duplicate(store: Replicas) {
    let first = token("alice", "first");
    store.insert(&first, None, &event()).await.unwrap();
    let mut second = token("bob", "second");
    second.record.id = first.record.id;
    let rejected = store.insert(&second, Some(50), &event()).await.unwrap_err();
    assert!(rejected.is_duplicate(), "{rejected}");
    assert_same(&read(&store, first.record.id).await, &first);
}

pub async fn rejected_insert_changes_nothing(store: Replicas) {
    let first = token("alice", "first");
    store.insert(&first, Some(1), &event()).await.unwrap();
    let before = head(&store).await;
    let second = token("alice", "second");
    assert_eq!(store.insert(&second, Some(1), &event()).await.unwrap_err().limit_in_use(), Some(1));
    assert_eq!(store.insert(&second, Some(0), &event()).await.unwrap_err().limit_in_use(), Some(1));
    assert!(store.insert(&first, None, &event()).await.unwrap_err().is_duplicate());
    assert!(!exists(&store, second.record.id).await);
    assert_eq!(head(&store).await, before, "a rejected call wrote a log entry");
}
