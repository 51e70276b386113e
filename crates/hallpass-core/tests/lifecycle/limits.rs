use std::sync::Arc;

use hallpass_core::{
    BuildError, Error, Expiry, Hallpass, Limits, NewToken, RegenerateOptions, TokenUpdate,
};
use hallpass_memory::MemoryStore;
use jiff::SignedDuration;

use crate::common::*;

fn limited(tokens: u32) -> Service {
    Service::with(|b| b.limits(Limits::default().tokens_per_owner(tokens)))
}

#[tokio::test]
async fn default_limit_is_50_tokens_per_owner() {
    let service = Service::new();
    for _ in 0..50 {
        let _ = service.issue(&[]).await;
    }
    let outcome = service.hallpass.issue(&alice(), NewToken::named("x")).await;
    assert!(matches!(error(outcome), Error::LimitReached { limit: 50, in_use: 50, .. }));
    let _ = service.hallpass.issue(&bob(), NewToken::named("x")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_200_concurrent_issues_exactly_the_limit_succeeds() {
    let store = test_store().making_way();
    let service = Arc::new(Service::over(store, |b| b));
    for _ in 0..49 {
        let _ = service.issue(&[]).await;
    }
    let tasks: Vec<_> = (0..200)
        .map(|_| {
            let service = Arc::clone(&service);
            tokio::spawn(
                async move { service.hallpass.issue(&alice(), NewToken::named("x")).await },
            )
        })
        .collect();
    let (mut issued, mut rejected) = (0, 0);
    for task in tasks {
        match task.await.unwrap() {
            Ok(token) => {
                issued += 1;
                assert!(service.accepts(token.token.reveal()).await);
            }
            Err(Error::LimitReached { limit: 50, in_use: 50, .. }) => rejected += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!((issued, rejected), (1, 199));
    let listed = service.hallpass.list(&alice(), &hallpass_core::ListOptions::new()).await.unwrap();
    assert_eq!(listed.total, 50);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn issuing_and_deleting_at_the_limit_never_exceeds_it() {
    let service = Arc::new(Service::over(test_store().making_way(), |b| {
        b.limits(Limits::default().tokens_per_owner(3))
    }));
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let service = Arc::clone(&service);
            tokio::spawn(async move {
                for _ in 0..50 {
                    if let Ok(issued) = service.hallpass.issue(&alice(), NewToken::named("x")).await
                    {
                        let listing = hallpass_core::ListOptions::new();
                        let total = service.hallpass.list(&alice(), &listing).await.unwrap().total;
                        assert!(total <= 3, "{total} tokens");
                        service.hallpass.delete(&alice(), issued.record.id, None).await.unwrap();
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    for _ in 0..3 {
        let _ = service.issue(&[]).await;
    }
    assert!(service.hallpass.issue(&alice(), NewToken::named("x")).await.is_err());
}

#[tokio::test]
async fn copy_counts_against_the_limit_and_regenerating_does_not() {
    let service = limited(2);
    let token = service.issue(&[]).await.record.id;
    let _ = service.hallpass.copy(&alice(), token, TokenUpdate::new()).await.unwrap();
    let outcome = service.hallpass.copy(&alice(), token, TokenUpdate::new()).await;
    assert!(matches!(error(outcome), Error::LimitReached { limit: 2, in_use: 2, .. }));
    let _ = service.hallpass.regenerate(&alice(), token, RegenerateOptions::new()).await.unwrap();
}

#[tokio::test]
async fn revoked_or_expired_token_counts_until_it_is_deleted() {
    let service = limited(2);
    let revoked = service.issue(&[]).await.record.id;
    let new = NewToken::named("x").expires("12h");
    let expired = service.hallpass.issue(&alice(), new).await.unwrap().record.id;
    service.hallpass.revoke(&alice(), revoked).await.unwrap();
    service.clock.advance(days(1));
    let full = service.hallpass.issue(&alice(), NewToken::named("x")).await;
    assert!(matches!(error(full), Error::LimitReached { .. }));
    // A revoked token counts against the limit, so it can be regenerated at the limit.
    let _ = service.hallpass.regenerate(&alice(), revoked, RegenerateOptions::new()).await.unwrap();
    service.hallpass.delete(&alice(), expired, None).await.unwrap();
    let _ = service.issue(&[]).await;
}

#[tokio::test]
async fn limit_can_be_off_or_zero() {
    let service = Service::with(|b| b.limits(Limits::default().unlimited_tokens()));
    for _ in 0..60 {
        let _ = service.issue(&[]).await;
    }
    let outcome = limited(0).hallpass.issue(&alice(), NewToken::named("x")).await;
    assert!(matches!(error(outcome), Error::LimitReached { limit: 0, in_use: 0, .. }));
}

#[tokio::test]
async fn default_expiry_applies_without_an_expiry() {
    let limits = Limits::default().default_expiry(Expiry::days(30));
    let service = Service::with(|b| b.limits(limits));
    assert_eq!(service.issue(&[]).await.record.expires_at, Some(at("2027-01-31T00:00:00Z")));
    let never = NewToken::named("x").expires("never");
    assert_eq!(service.hallpass.issue(&alice(), never).await.unwrap().record.expires_at, None);
}

#[tokio::test]
async fn token_never_lives_longer_than_the_longest_lifetime() {
    let limits = Limits::default().longest_lifetime(days(90)).default_expiry(Expiry::days(30));
    let service = Service::with(|b| b.limits(limits));
    for (expires, good) in [
        ("90d", true),
        ("91d", false),
        ("never", false),
        ("01-04-2027", false),
        ("31-03-2027", true),
    ] {
        let outcome = service.hallpass.issue(&alice(), NewToken::named("x").expires(expires)).await;
        match outcome {
            Ok(_) => assert!(good, "{expires}"),
            Err(_) => {
                let faults = faults(outcome);
                assert!(!good && faults[0].field == "expires", "{expires}: {faults:?}");
                assert!(faults[0].message.contains("90 days"), "{faults:?}");
            }
        }
    }
}

#[tokio::test]
async fn lifetime_counts_from_the_issue_of_the_secret() {
    let limits = Limits::default().longest_lifetime(days(90)).default_expiry(Expiry::days(30));
    let service = Service::with(|b| b.limits(limits));
    let id = service.issue(&[]).await.record.id;
    service.clock.advance(days(20));
    let longer = |span| TokenUpdate::new().expires(span);
    let outcome = service.hallpass.update(&alice(), id, longer("71d"), None).await;
    assert_eq!(fields(outcome), ["expires"], "the lifetime would be 91 days in total");
    service.hallpass.update(&alice(), id, longer("70d"), None).await.unwrap();
    let _ = service
        .hallpass
        .regenerate(&alice(), id, RegenerateOptions::new().expires("90d"))
        .await
        .unwrap();
    let outcome =
        service.hallpass.regenerate(&alice(), id, RegenerateOptions::new().expires("91d")).await;
    assert_eq!(fields(outcome), ["expires"]);
}

#[tokio::test]
async fn regenerating_needs_an_expiry_under_a_longest_lifetime() {
    let store = test_store();
    let before = Service::over(store.clone(), |b| b);
    let id = before.issue(&[]).await.record.id;
    let limits = Limits::default().longest_lifetime(days(90)).default_expiry(Expiry::days(30));
    let after = Service::over(store, |b| b.limits(limits));
    let outcome = after.hallpass.regenerate(&alice(), id, RegenerateOptions::new()).await;
    assert_eq!(fields(outcome), ["expires"]);
    let outcome = after.hallpass.copy(&alice(), id, TokenUpdate::new()).await;
    assert_eq!(fields(outcome), ["expires"]);
    let _ = after
        .hallpass
        .regenerate(&alice(), id, RegenerateOptions::new().expires("90d"))
        .await
        .unwrap();
}

#[test]
fn default_expiry_beyond_the_longest_lifetime_fails_to_build() {
    let build = |expiry| {
        let limits = Limits::default().longest_lifetime(days(90)).default_expiry(expiry);
        Hallpass::builder(MemoryStore::new()).limits(limits).try_build().map(drop)
    };
    assert_eq!(build(Expiry::Never), Err(BuildError::DefaultExpiry));
    assert_eq!(build(Expiry::days(91)), Err(BuildError::DefaultExpiry));
    assert_eq!(build(Expiry::days(90)), Ok(()));
}

#[tokio::test]
async fn error_names_the_longest_lifetime_in_a_fitting_unit() {
    for (span, words) in [
        (SignedDuration::from_mins(30), "30 minutes"),
        (SignedDuration::from_mins(90), "90 minutes"),
        (SignedDuration::from_hours(36), "36 hours"),
        (SignedDuration::from_hours(48), "2 days"),
        (SignedDuration::from_hours(1), "1 hour"),
        (SignedDuration::from_hours(24), "1 day"),
    ] {
        let limits = Limits::default().longest_lifetime(span).default_expiry(Expiry::In(span));
        let service = Service::with(|b| b.limits(limits));
        let outcome = service.hallpass.issue(&alice(), NewToken::named("x").expires("1y")).await;
        let message = faults(outcome).remove(0).message;
        assert_eq!(message, format!("the token must expire within {words}"));
    }
}
