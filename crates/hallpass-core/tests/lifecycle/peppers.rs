use hallpass_core::{BuildError, Hallpass, RegenerateOptions, RejectReason};
use hallpass_memory::MemoryStore;

use crate::common::*;

const FIRST: [u8; 32] = [1; 32];
const SECOND: [u8; 32] = [2; 32];

async fn algorithm(service: &Service, id: hallpass_core::TokenId) -> String {
    service.store.stored(id).await.unwrap().secrets.current.algorithm().to_owned()
}

#[tokio::test]
async fn digest_names_its_algorithm_and_pepper() {
    let service = Service::new();
    let id = service.issue(&[]).await.record.id;
    assert_eq!(algorithm(&service, id).await, "sha256-v1");
    let service = Service::with(|b| b.pepper("2027", FIRST));
    let id = service.issue(&[]).await.record.id;
    assert_eq!(algorithm(&service, id).await, "hmac-sha256-v1:2027");
}

#[tokio::test]
async fn first_pepper_keeps_existing_tokens_working() {
    let store = test_store();
    let token = Service::over(store.clone(), |b| b).issue(&[]).await;
    let id = token.record.id;
    let service = Service::over(store.clone(), |b| b.pepper("2027", FIRST));
    let head = store.head().await;
    assert!(service.accepts(token.token.reveal()).await);
    assert_eq!(algorithm(&service, id).await, "sha256-v1", "a check must not write");
    service.hallpass.flush_uses().await.unwrap();
    assert_eq!(algorithm(&service, id).await, "hmac-sha256-v1:2027");
    assert_eq!(store.head().await, head.next());
    assert_eq!(
        store.stored(id).await.unwrap().record.revision.get(),
        1,
        "replacing the digest must keep the revision"
    );
    assert!(service.accepts(token.token.reveal()).await);
    service.hallpass.flush_uses().await.unwrap();
    assert_eq!(store.head().await, head.next(), "the digest must be replaced once");
    // A node without the pepper cannot verify the token, so it rejects the token.
    let without = Service::over(store, |b| b);
    assert_eq!(without.rejection(token.token.reveal()).await, RejectReason::Unknown);
}

#[tokio::test]
async fn rotated_pepper_replaces_digests_at_use() {
    let store = test_store();
    let before = Service::over(store.clone(), |b| b.pepper("2026", FIRST));
    let (used, idle) = (before.issue(&[]).await, before.issue(&[]).await);
    let after =
        Service::over(store.clone(), |b| b.pepper("2027", SECOND).retired_pepper("2026", FIRST));
    assert!(after.accepts(used.token.reveal()).await);
    after.hallpass.flush_uses().await.unwrap();
    assert_eq!(algorithm(&after, used.record.id).await, "hmac-sha256-v1:2027");
    assert_eq!(algorithm(&after, idle.record.id).await, "hmac-sha256-v1:2026");
    assert!(after.accepts(idle.token.reveal()).await);
    // Once the retired pepper is removed, tokens that were not used since then stop working.
    let later = Service::over(store, |b| b.pepper("2027", SECOND));
    assert!(later.accepts(used.token.reveal()).await);
    assert_eq!(later.rejection(idle.token.reveal()).await, RejectReason::Unknown);
}

#[tokio::test]
async fn other_key_with_the_same_name_matches_nothing() {
    let store = test_store();
    let token = Service::over(store.clone(), |b| b.pepper("k", FIRST)).issue(&[]).await;
    let other = Service::over(store, |b| b.pepper("k", SECOND));
    assert_eq!(other.rejection(token.token.reveal()).await, RejectReason::Unknown);
}

#[tokio::test]
async fn retired_pepper_makes_no_new_digests() {
    let store = test_store();
    let token = Service::over(store.clone(), |b| b.pepper("2026", FIRST)).issue(&[]).await;
    let service = Service::over(store, |b| b.retired_pepper("2026", FIRST));
    assert!(service.accepts(token.token.reveal()).await);
    let id = service.issue(&[]).await.record.id;
    assert_eq!(algorithm(&service, id).await, "sha256-v1");
}

#[tokio::test]
async fn order_of_pepper_settings_does_not_matter() {
    let service = Service::with(|b| b.retired_pepper("2026", FIRST).pepper("2027", SECOND));
    let id = service.issue(&[]).await.record.id;
    assert_eq!(algorithm(&service, id).await, "hmac-sha256-v1:2027");
}

#[tokio::test]
async fn late_digest_replacement_keeps_a_newer_secret() {
    let store = test_store();
    let old = Service::over(store.clone(), |b| b).issue(&[]).await;
    let service = Service::over(store.clone(), |b| b.pepper("2027", FIRST));
    assert!(service.accepts(old.token.reveal()).await);
    // Another node gives the token a new secret before this one flushes.
    let elsewhere = Service::over(store, |b| b);
    let new = elsewhere
        .hallpass
        .regenerate(&alice(), old.record.id, RegenerateOptions::new())
        .await
        .unwrap();
    service.hallpass.flush_uses().await.unwrap();
    assert!(service.accepts(new.token.reveal()).await);
    assert!(!service.accepts(old.token.reveal()).await);
    service.hallpass.flush_uses().await.unwrap();
    assert_eq!(algorithm(&service, old.record.id).await, "hmac-sha256-v1:2027");
    assert!(service.accepts(new.token.reveal()).await);
}

#[tokio::test]
async fn late_digest_replacement_does_not_revive_a_deleted_token() {
    let store = test_store();
    let token = Service::over(store.clone(), |b| b).issue(&[]).await;
    let service = Service::over(store.clone(), |b| b.pepper("2027", FIRST));
    assert!(service.accepts(token.token.reveal()).await);
    Service::over(store, |b| b).hallpass.delete(&alice(), token.record.id, None).await.unwrap();
    service.hallpass.flush_uses().await.unwrap();
    assert!(!service.accepts(token.token.reveal()).await);
}

#[tokio::test]
async fn grace_period_survives_a_pepper_rotation() {
    let store = test_store();
    let old = Service::over(store.clone(), |b| b.pepper("2026", FIRST)).issue(&[]).await;
    let service = Service::over(store, |b| b.pepper("2027", SECOND).retired_pepper("2026", FIRST));
    let options = RegenerateOptions::new().grace_period("1d");
    let new = service.hallpass.regenerate(&alice(), old.record.id, options).await.unwrap();
    assert!(service.accepts(old.token.reveal()).await);
    service.hallpass.flush_uses().await.unwrap();
    assert!(service.accepts(old.token.reveal()).await);
    assert!(service.accepts(new.token.reveal()).await);
    service.hallpass.flush_uses().await.unwrap();
    assert!(!service.accepts(old.token.reveal()).await);
}

#[tokio::test]
async fn failed_digest_replacement_is_repeated_at_the_next_use() {
    let store = test_store();
    let plain = Service::over(store.clone(), |b| b);
    let (one, two) = (plain.issue(&[]).await, plain.issue(&[]).await);
    let service = Service::over(store, |b| b.pepper("2027", FIRST));
    for token in [&one, &two] {
        assert!(service.accepts(token.token.reveal()).await);
    }
    service.store.faults().on(Operation::ReplaceDigest).fail();
    let _ = service.hallpass.flush_uses().await;
    assert_eq!(
        service.store.faults().calls(Operation::ReplaceDigest),
        1,
        "an unreachable store must be called once, not once per token"
    );
    service.store.faults().heal();
    for token in [&one, &two] {
        assert!(service.accepts(token.token.reveal()).await);
    }
    service.hallpass.flush_uses().await.unwrap();
    for token in [&one, &two] {
        assert_eq!(algorithm(&service, token.record.id).await, "hmac-sha256-v1:2027");
    }
}

#[tokio::test]
async fn reading_a_token_does_not_wait_for_digests() {
    let store = test_store();
    let token = Service::over(store.clone(), |b| b).issue(&[]).await;
    let service = Service::over(store, |b| b.pepper("2027", FIRST));
    assert!(service.accepts(token.token.reveal()).await);
    service.hallpass.get(&alice(), token.record.id).await.unwrap();
    assert_eq!(service.store.faults().calls(Operation::ReplaceDigest), 0);
    service.hallpass.flush_uses().await.unwrap();
    assert_eq!(
        service.store.faults().calls(Operation::ReplaceDigest),
        1,
        "the digest must be replaced by a flush of uses"
    );
}

#[test]
fn invalid_pepper_fails_to_build_and_is_not_repeated() {
    let build = |id: &str, key: &[u8]| {
        Hallpass::builder(MemoryStore::new()).pepper(id, key).try_build().unwrap_err()
    };
    assert!(matches!(build("2027", &[1; 31]), BuildError::Pepper(_)));
    // The key was passed as its own name by mistake.
    let key = "5f3c7a0b5f3c7a0b5f3c7a0b5f3c7a0b5f3c7a0b5f3c7a0b5f3c7a0b5f3c7a0b";
    for swapped in [key, "pepper with spaces", ""] {
        let error = build(swapped, b"2027");
        assert!(matches!(error, BuildError::KeyId(_)));
        assert!(swapped.is_empty() || !format!("{error} {error:?}").contains(swapped));
    }
    let twice =
        Hallpass::builder(MemoryStore::new()).pepper("a", FIRST).retired_pepper("a", SECOND);
    assert!(matches!(twice.try_build(), Err(BuildError::DuplicatePepper(_))));
    let debug = format!("{:?}", Hallpass::builder(MemoryStore::new()).pepper("id", key));
    assert!(!debug.contains(key));
}
