use hallpass_core::{AuthError, Verification};

use crate::common::*;

#[tokio::test]
async fn shutdown_writes_waiting_uses() {
    let service = Service::new();
    let token = service.issue(&[]).await;
    assert!(service.accepts(token.token.reveal()).await);
    service.hallpass.shutdown().await.unwrap();
    assert!(!service.hallpass.has_unflushed_uses());
    let stored = service.store.stored(token.record.id).await.unwrap();
    assert_eq!(stored.record.last_used_at, Some(at(START)));
    // A second shutdown has nothing left to do.
    let calls = service.store.faults().calls(Operation::RecordUses);
    service.hallpass.shutdown().await.unwrap();
    assert_eq!(service.store.faults().calls(Operation::RecordUses), calls);
    assert_eq!(service.hallpass.dropped_uses(), 0);
}

#[tokio::test]
async fn shutdown_reports_and_counts_unwritten_uses() {
    let service = Service::new();
    for _ in 0..3 {
        let token = service.issue(&[]).await;
        assert!(service.accepts(token.token.reveal()).await);
    }
    service.store.faults().on(Operation::RecordUses).fail_with(read_only);
    assert!(service.hallpass.shutdown().await.unwrap_err().is_unavailable());
    assert_eq!(service.hallpass.dropped_uses(), 3);
    assert!(!service.hallpass.has_unflushed_uses());
    service.hallpass.shutdown().await.expect("a second shutdown must succeed");
    assert_eq!(service.hallpass.dropped_uses(), 3);
}

#[tokio::test]
async fn pending_use_counts_once_at_shutdown() {
    let service = Service::new();
    let token = service.issue(&[]).await;
    let text = token.token.reveal().as_bytes();
    let pending = || async {
        let Verification::Pending(check) = service.hallpass.verify(text) else {
            panic!("there is no cache")
        };
        let principal = check.resolve().await.unwrap();
        service
            .hallpass
            .pending_use(&principal)
            .expect("the first use in its minute must be recorded")
    };
    let (first, rejected) = (pending().await, pending().await);
    service.hallpass.flush_uses().await.unwrap();
    let stored = || async { service.store.stored(token.record.id).await.unwrap().record };
    assert_eq!(stored().await.last_used_at, None, "a pending use must not be written yet");
    rejected.cancel();
    service.hallpass.shutdown().await.unwrap();
    assert_eq!(stored().await.last_used_at, Some(at(START)));
    drop(first);
    assert!(!service.hallpass.has_unflushed_uses());
}

#[tokio::test]
async fn check_alone_is_not_a_use() {
    let service = Service::new();
    let token = service.issue(&[]).await;
    let Verification::Pending(check) = service.hallpass.verify(token.token.reveal().as_bytes())
    else {
        panic!("there is no cache")
    };
    let principal = check.resolve().await.unwrap();
    assert!(!service.hallpass.has_unflushed_uses());
    service.hallpass.pending_use(&principal).expect("the use must be due").cancel();
    assert!(!service.hallpass.has_unflushed_uses());
    drop(service.hallpass.pending_use(&principal));
    assert!(service.hallpass.has_unflushed_uses());
}

#[tokio::test]
async fn check_after_shutdown_is_unavailable() {
    let service = Service::new();
    let token = service.issue(&[]).await;
    service.hallpass.shutdown().await.unwrap();
    // A closed store returns this error.
    service.store.faults().on(Operation::ALL).fail();
    unavailable(service.check(token.token.reveal()).await);
    let checked = service.check("hp_nonsense").await;
    assert!(
        matches!(checked, Err(AuthError::Rejected(_))),
        "a malformed token must still be rejected"
    );
}
