use hallpass_core::{Error, EventKind, Limits, ListOptions, NewToken, PermissionError};

use crate::common::*;

fn roomy() -> Service {
    Service::with(|b| b.limits(Limits::default().unlimited_tokens()))
}

async fn names(service: &Service) -> Vec<String> {
    let listed = service.hallpass.list(&job(), &ListOptions::new().limit(100)).await.unwrap();
    let mut names: Vec<_> = listed.items.into_iter().map(|record| record.name).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn prune_deletes_only_tokens_that_ended_before() {
    let service = roomy();
    let issue = async |name: &str, expires: &str| {
        let new = NewToken::named(name).expires(expires);
        service.hallpass.issue(&alice(), new).await.unwrap().record.id
    };
    issue("expired long ago", "12h").await;
    issue("ends at the line", "2027-01-10T00:00:00Z").await;
    issue("expired lately", "15d").await;
    issue("live", "1y").await;
    issue("never ends", "never").await;
    let revoked = issue("revoked long ago", "never").await;
    service.hallpass.revoke(&alice(), revoked).await.unwrap();
    service.clock.advance(days(20));
    let revoked = issue("revoked lately", "never").await;
    service.hallpass.revoke(&alice(), revoked).await.unwrap();
    service.happened.take();

    let pruned = service.hallpass.prune(&job(), at("2027-01-10T00:00:00Z")).await.unwrap();
    assert_eq!(pruned, 2);
    assert_eq!(
        names(&service).await,
        ["ends at the line", "expired lately", "live", "never ends", "revoked lately"]
    );
    let event = service.happened.only();
    assert_eq!((event.kind, event.count), (EventKind::Pruned, 2));
    assert_eq!(event.actor.unwrap().as_str(), "nightly-job");
    assert_eq!(service.hallpass.prune(&job(), at("2027-01-10T00:00:00Z")).await.unwrap(), 0);
    assert!(service.happened.take().is_empty());
}

#[tokio::test]
async fn prune_with_a_future_time_keeps_active_tokens() {
    let service = roomy();
    let new = NewToken::named("live").expires("12h");
    let live = service.hallpass.issue(&alice(), new).await.unwrap();
    assert_eq!(service.hallpass.prune(&job(), at("2099-01-01T00:00:00Z")).await.unwrap(), 0);
    assert!(service.accepts(live.token.reveal()).await);
}

#[tokio::test]
async fn prune_works_in_batches_until_none_is_left() {
    let service = roomy();
    for _ in 0..1_201 {
        let _ = service.issue(&[]).await;
    }
    service.hallpass.revoke_owner(&alice(), alice().id(), None).await.unwrap();
    service.clock.advance(days(1));
    service.happened.take();
    let mut progress = Vec::new();
    let (by, now) = (job(), service.hallpass.now());
    let pruned = service.hallpass.prune_with(&by, now, |gone| progress.push(gone)).await;
    assert_eq!(pruned.unwrap(), 1_201);
    assert_eq!(progress, [500, 1_000, 1_201]);
    // The last step finds no token. Only then is the prune complete, because a store may end a step
    // early.
    assert_eq!(service.store.faults().calls(Operation::Prune), 4);
    // Each batch has its own transaction, and so its own log entry.
    let counts: Vec<_> = service.happened.take().iter().map(|event| event.count).collect();
    assert_eq!(counts, [500, 500, 201]);
}

#[tokio::test]
async fn prune_records_what_it_deleted_before_an_error() {
    let service = roomy();
    for _ in 0..600 {
        let _ = service.issue(&[]).await;
    }
    service.hallpass.revoke_owner(&alice(), alice().id(), None).await.unwrap();
    service.clock.advance(days(1));
    service.happened.take();
    let store = service.store.clone();
    service
        .store
        .faults()
        .on(Operation::Prune)
        .meanwhile(async move { store.faults().on(Operation::Prune).fail() });
    let error = error(service.hallpass.prune(&job(), service.hallpass.now()).await);
    assert!(error.is_unavailable());
    assert_eq!(service.happened.only().count, 500);
    service.store.faults().heal();
    assert_eq!(service.hallpass.prune(&job(), service.hallpass.now()).await.unwrap(), 100);
}

#[tokio::test]
async fn only_a_system_actor_may_prune() {
    let service = roomy();
    for by in [alice(), root()] {
        let outcome = service.hallpass.prune(&by, service.hallpass.now()).await;
        assert!(matches!(error(outcome), Error::Forbidden(PermissionError::SystemOnly)));
    }
}
