//! Concurrent changes: in every interleaving, the final state is that of the later commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hallpass_core::{AuthError, Error, Issued, RegenerateOptions, TokenUpdate};

use crate::common::*;

const ROUNDS: usize = 200;

/// Returns whether a test needs another round. If the rounds have not produced every outcome yet,
/// there are up to a hundred times as many.
fn goes_on(round: usize, has_seen_all: bool) -> bool {
    round < ROUNDS || (!has_seen_all && round < 100 * ROUNDS)
}

/// Creates one service for all rounds. Its store sometimes yields, so that calls interleave.
fn service() -> Arc<Service> {
    Arc::new(Service::over(test_store().making_way(), |b| {
        b.limits(hallpass_core::Limits::default().unlimited_tokens())
    }))
}

async fn regenerate(service: Arc<Service>, id: hallpass_core::TokenId) -> Result<Issued, Error> {
    service.hallpass.regenerate(&alice(), id, RegenerateOptions::new()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn after_concurrent_regenerations_only_one_secret_works() {
    let service = service();
    let mut lost = 0;
    let mut round = 0;
    while goes_on(round, lost > 0) {
        round += 1;
        let old = service.issue(&[]).await;
        let id = old.record.id;
        let tasks: Vec<_> =
            (0..3).map(|_| tokio::spawn(regenerate(Arc::clone(&service), id))).collect();
        let mut won = Vec::new();
        for task in tasks {
            match task.await.unwrap() {
                Ok(issued) => won.push(issued),
                Err(Error::Conflict) => lost += 1,
                Err(other) => panic!("{other:?}"),
            }
        }
        won.sort_by_key(|issued| issued.record.revision);
        assert!(won.windows(2).all(|pair| pair[0].record.revision < pair[1].record.revision));
        let last = won.pop().expect("at least one call must succeed");
        assert!(service.accepts(last.token.reveal()).await);
        for dead in won.iter().chain([&old]) {
            assert!(!service.accepts(dead.token.reveal()).await);
        }
    }
    assert!(lost > 0, "there was no conflict in {round} rounds, so the test shows nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn later_of_regeneration_and_revocation_wins() {
    let service = service();
    let (mut revoked_last, mut regenerated_last, mut lost) = (0, 0, 0);
    let mut round = 0;
    while goes_on(round, revoked_last > 0 && regenerated_last > 0 && lost > 0) {
        round += 1;
        let old = service.issue(&[]).await;
        let id = old.record.id;
        let regenerating = tokio::spawn(regenerate(Arc::clone(&service), id));
        let revoking = tokio::spawn({
            let service = Arc::clone(&service);
            async move { service.hallpass.revoke(&alice(), id).await }
        });
        let revoked = revoking.await.unwrap().expect("the revocation was lost");
        let stands = match regenerating.await.unwrap() {
            Ok(new) if new.record.revision > revoked.revision => {
                regenerated_last += 1;
                assert!(service.accepts(new.token.reveal()).await);
                true
            }
            Ok(new) => {
                revoked_last += 1;
                assert!(!service.accepts(new.token.reveal()).await);
                false
            }
            Err(Error::Conflict) => {
                lost += 1;
                false
            }
            Err(other) => panic!("{other:?}"),
        };
        let record = service.hallpass.get(&alice(), id).await.unwrap();
        assert_eq!(record.revoked_at.is_none(), stands);
        assert!(
            !service.accepts(old.token.reveal()).await,
            "the token must be rejected in every order"
        );
    }
    assert!(
        revoked_last > 0 && regenerated_last > 0 && lost > 0,
        "{revoked_last} {regenerated_last} {lost}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn deletion_wins_over_a_concurrent_regeneration() {
    let service = service();
    let (mut regenerated, mut missed) = (0, 0);
    let mut round = 0;
    while goes_on(round, regenerated > 0 && missed > 0) {
        round += 1;
        let old = service.issue(&[]).await;
        let id = old.record.id;
        let regenerating = tokio::spawn(regenerate(Arc::clone(&service), id));
        let deleting = tokio::spawn({
            let service = Arc::clone(&service);
            async move { service.hallpass.delete(&alice(), id, None).await }
        });
        deleting.await.unwrap().unwrap();
        match regenerating.await.unwrap() {
            Ok(new) => {
                regenerated += 1;
                assert!(!service.accepts(new.token.reveal()).await);
            }
            Err(Error::NotFound) => missed += 1,
            Err(other) => panic!("{other:?}"),
        }
        assert!(!service.accepts(old.token.reveal()).await);
        assert!(
            service.store.stored(id).await.is_none(),
            "a token exists although all were deleted"
        );
    }
    assert!(regenerated > 0 && missed > 0, "{regenerated} {missed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn revocation_is_never_lost_among_concurrent_edits() {
    let service = service();
    for _ in 0..ROUNDS {
        let token = service.issue(&[]).await;
        let id = token.record.id;
        let edits: Vec<_> = (0..4)
            .map(|n| {
                let service = Arc::clone(&service);
                tokio::spawn(async move {
                    let update = TokenUpdate::new().name(format!("name {n}"));
                    service.hallpass.update(&alice(), id, update, None).await
                })
            })
            .collect();
        service.hallpass.revoke(&root(), id).await.unwrap();
        assert!(
            !service.accepts(token.token.reveal()).await,
            "the token must be rejected as soon as the call has returned"
        );
        for edit in edits {
            edit.await.unwrap().unwrap();
        }
        let record = service.hallpass.get(&alice(), id).await.unwrap();
        assert!(record.revoked_at.is_some() && record.name.starts_with("name "));
        assert_eq!(record.revision.get(), 6, "an edit was lost");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn edit_never_undoes_a_regeneration() {
    let service = service();
    for _ in 0..ROUNDS {
        let old = service.issue(&["a"]).await;
        let id = old.record.id;
        let editing = tokio::spawn({
            let service = Arc::clone(&service);
            async move { service.hallpass.add_scopes(&alice(), id, ["b"], None).await }
        });
        let regenerated = regenerate(Arc::clone(&service), id).await;
        editing.await.unwrap().unwrap();
        match regenerated {
            Ok(new) => {
                let principal = service.check(new.token.reveal()).await.unwrap();
                assert!(principal.allows(&scope("b")), "both updates must be applied");
                assert!(!service.accepts(old.token.reveal()).await);
            }
            Err(Error::Conflict) => assert!(service.accepts(old.token.reveal()).await),
            Err(other) => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn check_after_a_revocation_never_accepts() {
    let service = service();
    for _ in 0..20 {
        let token = Arc::new(service.issue(&[]).await);
        let returned = Arc::new(AtomicBool::new(false));
        let checks: Vec<_> = (0..8)
            .map(|_| {
                let (service, token) = (Arc::clone(&service), Arc::clone(&token));
                let returned = Arc::clone(&returned);
                tokio::spawn(async move {
                    let mut late = 0;
                    while late < 20 {
                        let after = returned.load(Ordering::SeqCst);
                        let verdict = service.check(token.token.reveal()).await;
                        if after {
                            late += 1;
                            assert!(matches!(verdict, Err(AuthError::Rejected(_))), "{verdict:?}");
                        }
                    }
                })
            })
            .collect();
        service.hallpass.revoke(&alice(), token.record.id).await.unwrap();
        returned.store(true, Ordering::SeqCst);
        for check in checks {
            check.await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn previous_secret_is_rejected_after_the_first_use_of_the_new() {
    let service = service();
    for round in 0..ROUNDS {
        let old = Arc::new(service.issue(&[]).await);
        let options = RegenerateOptions::new().grace_period("1d");
        let new = service.hallpass.regenerate(&alice(), old.record.id, options).await.unwrap();
        if round % 2 == 0 {
            service.store.faults().on(Operation::ReplaceDigest).times(2).fail();
        }
        let returned = Arc::new(AtomicBool::new(false));
        let checks: Vec<_> = (0..4)
            .map(|_| {
                let (service, old) = (Arc::clone(&service), Arc::clone(&old));
                let returned = Arc::clone(&returned);
                tokio::spawn(async move {
                    for _ in 0..10 {
                        let after = returned.load(Ordering::SeqCst);
                        let accepted = service.accepts(old.token.reveal()).await;
                        assert!(!(after && accepted));
                    }
                })
            })
            .collect();
        assert!(service.accepts(new.token.reveal()).await);
        returned.store(true, Ordering::SeqCst);
        for check in checks {
            check.await.unwrap();
        }
        assert!(!service.accepts(old.token.reveal()).await);
        service.store.faults().heal();
    }
}
