use hallpass_core::{
    AuthError, OwnerStatus, Principal, RegenerateOptions, RejectReason, TokenUpdate,
};

use crate::common::*;

async fn again(service: &Service, principal: &Principal) -> Result<Principal, AuthError> {
    service.hallpass.recheck(principal).await
}

#[tokio::test]
async fn recheck_of_a_valid_token_returns_its_current_scopes() {
    let service = Service::new();
    let token = service.issue(&["a"]).await;
    let principal = service.check(token.token.reveal()).await.unwrap();
    let update = TokenUpdate::new().scopes(["b"]);
    service.hallpass.update(&alice(), token.record.id, update, None).await.unwrap();
    let principal = again(&service, &principal).await.unwrap();
    assert!(!principal.allows(&scope("a")) && principal.allows(&scope("b")));
}

#[tokio::test]
async fn recheck_of_an_ended_token_names_the_reason() {
    let service = Service::new();
    let issue = async || {
        let token = service.issue(&[]).await;
        let principal = service.check(token.token.reveal()).await.unwrap();
        (token.record.id, principal)
    };
    let (id, principal) = issue().await;
    service.hallpass.revoke(&alice(), id).await.unwrap();
    assert_eq!(rejected(again(&service, &principal).await), RejectReason::Revoked);

    let (id, principal) = issue().await;
    service.hallpass.delete(&alice(), id, None).await.unwrap();
    assert_eq!(rejected(again(&service, &principal).await), RejectReason::Unknown);

    let (id, principal) = issue().await;
    let update = TokenUpdate::new().expires("12h");
    service.hallpass.update(&alice(), id, update, None).await.unwrap();
    service.clock.set(at("2027-01-01T12:00:00Z"));
    assert_eq!(rejected(again(&service, &principal).await), RejectReason::Expired);

    let (id, principal) = issue().await;
    let _ = service.hallpass.regenerate(&alice(), id, RegenerateOptions::new()).await.unwrap();
    assert_eq!(rejected(again(&service, &principal).await), RejectReason::Unknown);

    let (id, principal) = issue().await;
    service.hallpass.revoke(&alice(), id).await.unwrap();
    let _ = service.hallpass.regenerate(&alice(), id, RegenerateOptions::new()).await.unwrap();
    assert_eq!(
        rejected(again(&service, &principal).await),
        RejectReason::Unknown,
        "the token is active again with another secret"
    );
}

#[tokio::test]
async fn recheck_accepts_the_previous_secret_in_its_grace_period() {
    let service = Service::new();
    let old = service.issue(&[]).await;
    let by_old = service.check(old.token.reveal()).await.unwrap();
    let options = RegenerateOptions::new().grace_period("1d");
    let _ = service.hallpass.regenerate(&alice(), old.record.id, options).await.unwrap();
    let by_old = again(&service, &by_old).await.unwrap();
    let by_old = again(&service, &by_old).await.unwrap();
    service.clock.advance(days(1));
    assert_eq!(rejected(again(&service, &by_old).await), RejectReason::Unknown);
}

#[tokio::test]
async fn recheck_rejects_the_previous_secret_after_an_early_end() {
    let service = Service::new();
    let old = service.issue(&[]).await;
    let by_old = service.check(old.token.reveal()).await.unwrap();
    let options = RegenerateOptions::new().grace_period("1d");
    let new = service.hallpass.regenerate(&alice(), old.record.id, options).await.unwrap();
    let by_old = again(&service, &by_old).await.unwrap();
    let by_new = service.check(new.token.reveal()).await.unwrap();
    assert_eq!(rejected(again(&service, &by_old).await), RejectReason::Unknown);
    again(&service, &by_new).await.unwrap();
}

#[tokio::test]
async fn recheck_rejects_a_previous_secret_whose_end_is_not_stored() {
    let service = Service::new();
    let old = service.issue(&[]).await;
    let before = service.check(old.token.reveal()).await.unwrap();
    let options = RegenerateOptions::new().grace_period("1d");
    let new = service.hallpass.regenerate(&alice(), old.record.id, options).await.unwrap();
    let during = service.check(old.token.reveal()).await.unwrap();
    service.store.faults().on(Operation::ReplaceDigest).fail_with(read_only);
    let by_new = service.check(new.token.reveal()).await.unwrap();
    for principal in [before, during] {
        assert_eq!(rejected(again(&service, &principal).await), RejectReason::Unknown);
    }
    again(&service, &by_new).await.unwrap();
}

#[tokio::test]
async fn recheck_accepts_a_digest_replaced_under_another_pepper() {
    let store = test_store();
    let token = Service::over(store.clone(), |b| b).issue(&[]).await;
    let service = Service::over(store, |b| b.pepper("2027", [7; 32]));
    let principal = service.check(token.token.reveal()).await.unwrap();
    service.hallpass.flush_uses().await.unwrap();
    let stored = service.store.stored(token.record.id).await.unwrap();
    assert_eq!(stored.secrets.current.algorithm(), "hmac-sha256-v1:2027");
    let principal = again(&service, &principal).await.unwrap();
    let update = TokenUpdate::new().name("renamed");
    service.hallpass.update(&alice(), token.record.id, update, None).await.unwrap();
    let principal = again(&service, &principal).await.unwrap();
    let _ = service
        .hallpass
        .regenerate(&alice(), token.record.id, RegenerateOptions::new())
        .await
        .unwrap();
    assert_eq!(rejected(again(&service, &principal).await), RejectReason::Unknown);
}

#[tokio::test]
async fn recheck_rejects_a_digest_of_a_regenerated_token() {
    let store = test_store();
    let before = Service::over(store.clone(), |b| b);
    let token = before.issue(&[]).await;
    let principal = before.check(token.token.reveal()).await.unwrap();
    let after = Service::over(store, |b| b.pepper("2027", [7; 32]));
    let _ = after
        .hallpass
        .regenerate(&alice(), token.record.id, RegenerateOptions::new())
        .await
        .unwrap();
    assert_eq!(rejected(again(&before, &principal).await), RejectReason::Unknown);
    assert_eq!(rejected(again(&after, &principal).await), RejectReason::Unknown);
}

#[tokio::test]
async fn recheck_with_a_stale_cache_accepts_the_new_secret() {
    let service = Service::new();
    let old = service.issue(&[]).await;
    service.cache.pin(old.record.id).await.unwrap();
    let new = service
        .hallpass
        .regenerate(&alice(), old.record.id, RegenerateOptions::new())
        .await
        .unwrap();
    let principal = service.check(new.token.reveal()).await.unwrap();
    again(&service, &principal).await.unwrap();
}

#[tokio::test]
async fn recheck_is_unavailable_if_the_store_fails() {
    let service = Service::new();
    let (token, other) = (service.issue(&[]).await, service.issue(&[]).await);
    let principal = service.check(token.token.reveal()).await.unwrap();
    for fault in [Fault::Unavailable, Fault::Corrupt, Fault::Another(other.record.id)] {
        fault.befalls(service.store.faults().on(Operation::Get));
        unavailable(again(&service, &principal).await);
    }
    service.store.faults().heal();
    again(&service, &principal).await.unwrap();
}

#[tokio::test]
async fn recheck_queries_the_owners_status_again() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    let disabled = Arc::new(AtomicBool::new(false));
    let word = Arc::clone(&disabled);
    let service = Service::with(|b| {
        b.owner_directory(move |_| {
            let disabled = word.load(Ordering::SeqCst);
            async move {
                Ok(if disabled {
                    OwnerStatus::Disabled
                } else {
                    OwnerStatus::Limited(set(&["a:b"]))
                })
            }
        })
    });
    let token = service
        .hallpass
        .issue(&alice(), hallpass_core::NewToken::named("x").scope("a:b:c"))
        .await
        .unwrap();
    let principal = service.check(token.token.reveal()).await.unwrap();
    assert!(again(&service, &principal).await.unwrap().allows(&scope("a:b:c")));
    disabled.store(true, Ordering::SeqCst);
    assert_eq!(rejected(again(&service, &principal).await), RejectReason::OwnerDisabled);
}
