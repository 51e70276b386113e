use hallpass_core::{Limits, ListOptions, NewToken, RegenerateOptions, Revision, TokenUpdate};
use jiff::Timestamp;

use crate::common::*;

/// Reads the last use from the store. Reading it through the handle would flush the uses.
async fn stored_use(service: &Service, id: hallpass_core::TokenId) -> Option<Timestamp> {
    service.store.stored(id).await.unwrap().record.last_used_at
}

#[tokio::test]
async fn flush_writes_the_use_and_a_check_does_not() {
    let service = Service::new();
    let token = service.issue(&[]).await;
    assert!(service.accepts(token.token.reveal()).await);
    assert_eq!(service.store.faults().calls(Operation::RecordUses), 0);
    assert!(service.hallpass.has_unflushed_uses());
    let head = service.store.head().await;
    assert_eq!(service.hallpass.flush_uses().await.unwrap(), 1);
    assert!(!service.hallpass.has_unflushed_uses());
    assert_eq!(stored_use(&service, token.record.id).await, Some(at(START)));
    assert_eq!(service.store.head().await, head, "a use must write no log entry");
    let record = service.hallpass.get(&alice(), token.record.id).await.unwrap();
    assert_eq!(record.revision, Revision::FIRST);
}

#[tokio::test]
async fn last_use_has_a_resolution_of_one_minute() {
    let service = Service::new();
    let token = service.issue(&[]).await;
    let (id, text) = (token.record.id, token.token.reveal());
    service.clock.set(at("2027-01-01T00:00:10Z"));
    assert!(service.accepts(text).await);
    service.clock.set(at("2027-01-01T00:00:59.999Z"));
    assert!(service.accepts(text).await);
    assert_eq!(service.hallpass.flush_uses().await.unwrap(), 1);
    assert_eq!(stored_use(&service, id).await, Some(at("2027-01-01T00:00:10Z")));
    assert!(service.accepts(text).await);
    assert!(
        !service.hallpass.has_unflushed_uses(),
        "a second use in the same minute must not be written"
    );
    service.clock.set(at("2027-01-01T00:01:00Z"));
    assert!(service.accepts(text).await);
    service.clock.set(at("2027-01-01T00:05:00Z"));
    assert!(service.accepts(text).await);
    service.hallpass.flush_uses().await.unwrap();
    assert_eq!(
        stored_use(&service, id).await,
        Some(at("2027-01-01T00:05:00Z")),
        "the latest use must be written"
    );
}

#[tokio::test]
async fn last_use_moves_forward_only() {
    let service = Service::new();
    let token = service.issue(&[]).await;
    let (id, text) = (token.record.id, token.token.reveal());
    // There are two nodes, and the one whose clock is behind flushes last.
    let behind = Service::over(service.store.clone(), |b| b);
    assert!(behind.accepts(text).await);
    service.clock.advance(minutes(10));
    assert!(service.accepts(text).await);
    assert_eq!(service.hallpass.flush_uses().await.unwrap(), 1);
    assert_eq!(behind.hallpass.flush_uses().await.unwrap(), 0);
    assert_eq!(stored_use(&service, id).await, Some(at("2027-01-01T00:10:00Z")));
}

#[tokio::test]
async fn reads_show_waiting_uses() {
    let service = Service::new();
    let token = service.issue(&[]).await;
    assert!(service.accepts(token.token.reveal()).await);
    let record = service.hallpass.get(&alice(), token.record.id).await.unwrap();
    assert_eq!(record.last_used_at, Some(at(START)));
    service.clock.advance(minutes(1));
    assert!(service.accepts(token.token.reveal()).await);
    let listed = service.hallpass.list(&alice(), &ListOptions::new()).await.unwrap();
    assert_eq!(listed.items[0].last_used_at, Some(service.hallpass.now()));
}

#[tokio::test]
async fn reads_work_while_uses_cannot_be_written() {
    let service = Service::new();
    let token = service.issue(&[]).await;
    let id = token.record.id;
    assert!(service.accepts(token.token.reveal()).await);
    service.store.faults().on(Operation::RecordUses).fail_with(read_only);
    assert!(service.hallpass.flush_uses().await.unwrap_err().is_unavailable());
    assert_eq!(service.hallpass.get(&alice(), id).await.unwrap().last_used_at, None);
    assert_eq!(service.hallpass.list(&alice(), &ListOptions::new()).await.unwrap().total, 1);
    assert!(service.hallpass.has_unflushed_uses());
    service.store.faults().heal();
    assert_eq!(service.hallpass.get(&alice(), id).await.unwrap().last_used_at, Some(at(START)));
}

#[tokio::test]
async fn use_that_is_put_back_does_not_hide_a_newer_one() {
    let service = Service::new();
    let token = service.issue(&[]).await;
    assert!(service.accepts(token.token.reveal()).await);
    let gate = service.store.faults().on(Operation::RecordUses).once().stall();
    service.store.faults().on(Operation::RecordUses).once().fail();
    service.clock.advance(minutes(3));
    // The token is used again during a flush, which then fails.
    let (flushed, ()) = tokio::join!(service.hallpass.flush_uses(), async {
        gate.arrived(1).await;
        assert!(service.accepts(token.token.reveal()).await);
        gate.open();
    });
    assert!(flushed.is_err());
    service.hallpass.flush_uses().await.unwrap();
    assert_eq!(stored_use(&service, token.record.id).await, Some(service.hallpass.now()));
}

#[tokio::test]
async fn dropped_flush_loses_nothing() {
    let service = Service::new();
    let token = service.issue(&[]).await;
    assert!(service.accepts(token.token.reveal()).await);
    let _shut = service.store.faults().on(Operation::RecordUses).stall();
    let hallpass = service.hallpass.clone();
    {
        let mut flush = std::pin::pin!(hallpass.flush_uses());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(flush.as_mut().poll(&mut context).is_pending());
    }
    service.store.faults().heal();
    assert_eq!(service.hallpass.flush_uses().await.unwrap(), 1);
    assert_eq!(stored_use(&service, token.record.id).await, Some(at(START)));
}

#[tokio::test]
async fn flush_works_in_batches_and_failed_batches_wait() {
    let service = Service::with(|b| b.limits(Limits::default().unlimited_tokens()));
    let mut tokens = Vec::new();
    for _ in 0..5_201 {
        tokens.push(service.issue(&[]).await);
    }
    for token in &tokens {
        assert!(service.accepts(token.token.reveal()).await);
    }
    let store = service.store.clone();
    service
        .store
        .faults()
        .on(Operation::RecordUses)
        .meanwhile(async move { store.faults().on(Operation::RecordUses).fail() });
    assert!(service.hallpass.flush_uses().await.is_err());
    assert_eq!(
        service.store.faults().calls(Operation::RecordUses),
        2,
        "there must be no third attempt while the store is down"
    );
    service.store.faults().heal();
    assert_eq!(service.hallpass.flush_uses().await.unwrap(), 201);
    for token in &tokens {
        assert_eq!(stored_use(&service, token.record.id).await, Some(at(START)));
    }
    assert_eq!(service.hallpass.dropped_uses(), 0);
}

#[tokio::test]
async fn use_at_another_revision_is_dropped() {
    let service = Service::new();
    let token = service.issue(&[]).await;
    let id = token.record.id;
    assert!(service.accepts(token.token.reveal()).await);
    // Another node changes the token before this one flushes.
    let elsewhere = Service::over(service.store.clone(), |b| b);
    elsewhere.hallpass.update(&alice(), id, TokenUpdate::new().name("x"), None).await.unwrap();
    assert_eq!(service.hallpass.flush_uses().await.unwrap(), 0);
    assert_eq!(stored_use(&service, id).await, None);
    assert!(!service.hallpass.has_unflushed_uses());
    assert!(service.accepts(token.token.reveal()).await);
    assert_eq!(service.hallpass.flush_uses().await.unwrap(), 1);
}

#[tokio::test]
async fn late_flush_does_not_revive_a_deleted_or_revoked_token() {
    let service = Service::new();
    let (deleted, revoked) = (service.issue(&[]).await, service.issue(&[]).await);
    for token in [&deleted, &revoked] {
        assert!(service.accepts(token.token.reveal()).await);
    }
    let elsewhere = Service::over(service.store.clone(), |b| b);
    elsewhere.hallpass.delete(&alice(), deleted.record.id, None).await.unwrap();
    elsewhere.hallpass.revoke(&alice(), revoked.record.id).await.unwrap();
    assert_eq!(service.hallpass.flush_uses().await.unwrap(), 0);
    assert!(service.store.stored(deleted.record.id).await.is_none());
    for token in [&deleted, &revoked] {
        assert!(!service.accepts(token.token.reveal()).await);
    }
}

#[tokio::test]
async fn rejected_token_has_no_recorded_use() {
    let service = Service::new();
    let old = service.issue(&[]).await;
    let new = service
        .hallpass
        .regenerate(&alice(), old.record.id, RegenerateOptions::new())
        .await
        .unwrap();
    assert!(!service.accepts(old.token.reveal()).await);
    service.hallpass.revoke(&alice(), old.record.id).await.unwrap();
    assert!(!service.accepts(new.token.reveal()).await);
    assert!(!service.hallpass.has_unflushed_uses());
    assert_eq!(stored_use(&service, old.record.id).await, None);
}

#[tokio::test]
async fn editing_keeps_the_last_use_time() {
    let service = Service::new();
    let token = service.issue(&[]).await;
    let id = token.record.id;
    assert!(service.accepts(token.token.reveal()).await);
    service.clock.advance(minutes(5));
    let used = Some(at(START));
    let update = TokenUpdate::new().name("x");
    assert_eq!(
        service.hallpass.update(&alice(), id, update, None).await.unwrap().last_used_at,
        used
    );
    assert_eq!(service.hallpass.revoke(&alice(), id).await.unwrap().last_used_at, used);
    let new = service.hallpass.regenerate(&alice(), id, RegenerateOptions::new()).await.unwrap();
    assert_eq!(new.record.last_used_at, used);
    assert_eq!(stored_use(&service, id).await, used);
}

#[tokio::test]
async fn list_writes_only_the_waiting_uses() {
    let service = Service::new();
    let new = NewToken::named("x");
    let token = service.hallpass.issue(&bob(), new).await.unwrap();
    service.hallpass.get(&bob(), token.record.id).await.unwrap();
    assert_eq!(
        service.store.faults().calls(Operation::RecordUses),
        0,
        "no use is waiting, so nothing may be written"
    );
}
