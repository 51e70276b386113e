//! Failures of the store: no check accepts or rejects a token, and the errors show whether data was
//! changed.

use std::task::{Context, Poll, Waker};
use std::time::Duration;

use hallpass_core::{
    Error, ListOptions, NewToken, Owner, RegenerateOptions, RejectReason, TokenUpdate,
};
use jiff::SignedDuration;

use crate::common::*;

fn owner() -> Owner {
    Owner::new("alice").unwrap()
}

#[tokio::test]
async fn failed_lookup_is_unavailable_and_not_rejected() {
    let service = Service::new();
    let token = service.issue(&["a"]).await;
    let gone = service.issue(&["a"]).await;
    service.hallpass.delete(&alice(), gone.record.id, None).await.unwrap();
    service.happened.take();
    for fault in [Fault::Unavailable, Fault::ReadOnly, Fault::Corrupt, Fault::LostAfter] {
        fault.befalls(service.store.faults().on(Operation::Get));
        for text in [token.token.reveal(), gone.token.reveal()] {
            unavailable(service.check(text).await);
        }
        let error = error(service.hallpass.get(&alice(), token.record.id).await);
        assert!(error.is_unavailable(), "{error:?}");
    }
    assert!(service.happened.take().is_empty(), "an outage is not a rejection");
    assert_eq!(
        service.rejection("nonsense").await,
        RejectReason::Malformed,
        "this rejection needs no store"
    );
    service.store.faults().heal();
    assert!(service.accepts(token.token.reveal()).await);
}

#[tokio::test]
async fn record_of_another_token_is_an_error() {
    let service = Service::new();
    let (asked, answered) = (service.issue(&["a"]).await, service.issue(&["b"]).await);
    service.happened.take();
    service.store.faults().on(Operation::Get).answer_with(answered.record.id);
    unavailable(service.check(asked.token.reveal()).await);
    let id = asked.record.id;
    let errors = [
        error(service.hallpass.get(&alice(), id).await),
        error(service.hallpass.update(&alice(), id, TokenUpdate::new().name("x"), None).await),
        error(service.hallpass.regenerate(&alice(), id, RegenerateOptions::new()).await),
        error(service.hallpass.revoke(&alice(), id).await),
        error(service.hallpass.delete(&alice(), id, None).await),
        error(service.hallpass.copy(&alice(), id, TokenUpdate::new()).await),
    ];
    for error in errors {
        assert!(error.is_unavailable(), "{error:?}");
    }
    service.store.faults().heal();
    assert!(service.happened.take().is_empty());
    assert!(
        service.accepts(asked.token.reveal()).await
            && service.accepts(answered.token.reveal()).await
    );
}

#[tokio::test]
async fn hanging_store_accepts_no_token_and_calls_can_be_dropped() {
    let service = Service::new();
    let (token, cached) = (service.issue(&[]).await, service.issue(&[]).await);
    service.cache.pin(cached.record.id).await.unwrap();
    let _shut = service.store.faults().on(Operation::Get).stall();
    {
        let mut check = std::pin::pin!(service.check(token.token.reveal()));
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..10 {
            assert!(matches!(check.as_mut().poll(&mut context), Poll::Pending));
        }
        assert!(service.accepts(cached.token.reveal()).await);
    }
    service.store.faults().heal();
    assert!(service.accepts(token.token.reveal()).await, "the dropped call must not affect others");
}

#[tokio::test]
async fn change_that_was_not_stored_has_no_effect() {
    let service = Service::new();
    let token = service.issue(&["a"]).await;
    let (id, before) = (token.record.id, token.record.clone());
    let head = service.store.head().await;
    service.happened.take();
    for fault in [Fault::Unavailable, Fault::ReadOnly] {
        fault.befalls(service.store.faults().on(Operation::WRITES));
        let hallpass = &service.hallpass;
        let errors = [
            error(hallpass.issue(&alice(), NewToken::named("x")).await),
            error(hallpass.copy(&alice(), id, TokenUpdate::new()).await),
            error(hallpass.update(&alice(), id, TokenUpdate::new().name("x"), None).await),
            error(hallpass.regenerate(&alice(), id, RegenerateOptions::new()).await),
            error(hallpass.revoke(&alice(), id).await),
            error(hallpass.delete(&alice(), id, None).await),
            error(hallpass.delete_many(&alice(), &[id]).await),
            error(hallpass.delete_all(&alice()).await),
            error(hallpass.revoke_owner(&alice(), &owner(), None).await),
            error(hallpass.prune(&job(), hallpass.now()).await),
            error(hallpass.owner_changed(&job(), &owner()).await),
        ];
        for error in errors {
            assert!(error.is_unavailable(), "{error:?}");
            let Error::Store(store) = error else { panic!("{error:?}") };
            assert_eq!(store.is_read_only(), fault == Fault::ReadOnly);
        }
    }
    assert!(service.happened.take().is_empty());
    assert_eq!(service.store.head().await, head);
    assert_eq!(service.hallpass.get(&alice(), id).await.unwrap(), before);
    assert!(
        service.accepts(token.token.reveal()).await,
        "checks must succeed while nothing can be written"
    );
    service.store.faults().on(Operation::List).fail();
    assert!(error(service.hallpass.list(&alice(), &ListOptions::new()).await).is_unavailable());
}

#[tokio::test]
async fn regenerate_with_a_lost_reply_can_be_repeated() {
    let service = Service::new();
    let old = service.issue(&[]).await;
    service.store.faults().on(Operation::Update).once().lose_answer();
    let outcome =
        service.hallpass.regenerate(&alice(), old.record.id, RegenerateOptions::new()).await;
    assert!(error(outcome).is_unavailable());
    assert!(!service.accepts(old.token.reveal()).await, "the change must be committed");
    let new = service
        .hallpass
        .regenerate(&alice(), old.record.id, RegenerateOptions::new())
        .await
        .unwrap();
    assert!(service.accepts(new.token.reveal()).await);
}

#[tokio::test]
async fn issue_with_a_lost_reply_counts_against_the_limit() {
    let service = Service::new();
    service.store.faults().on(Operation::Insert).once().lose_answer();
    let outcome = service.hallpass.issue(&alice(), NewToken::named("x")).await;
    assert!(error(outcome).is_unavailable());
    assert_eq!(service.hallpass.list(&alice(), &ListOptions::new()).await.unwrap().total, 1);
}

#[tokio::test]
async fn end_of_grace_period_holds_here_even_if_not_stored() {
    for fault in [Fault::Unavailable, Fault::ReadOnly, Fault::LostBefore, Fault::LostAfter] {
        let service = Service::new();
        let old = service.issue(&[]).await;
        let options = RegenerateOptions::new().grace_period("1d");
        let new = service.hallpass.regenerate(&alice(), old.record.id, options).await.unwrap();
        fault.befalls(service.store.faults().on(Operation::ReplaceDigest));
        assert!(service.accepts(new.token.reveal()).await);
        assert_eq!(service.rejection(old.token.reveal()).await, RejectReason::Unknown, "{fault:?}");
        assert!(service.accepts(new.token.reveal()).await, "the new secret must keep working");
        service.store.faults().heal();
        let tries = service.store.faults().calls(Operation::ReplaceDigest);
        assert!(service.accepts(new.token.reveal()).await);
        assert_eq!(
            service.store.faults().calls(Operation::ReplaceDigest),
            tries,
            "the store must not be called with every use"
        );
        service.clock.advance(SignedDuration::from_secs(1));
        assert!(service.accepts(new.token.reveal()).await);
        assert!(!service.accepts(old.token.reveal()).await);
        let stored = service.store.stored(old.record.id).await.unwrap();
        assert!(
            stored.secrets.previous.is_none(),
            "the end must be stored with a use a second later"
        );
    }
}

#[tokio::test]
async fn remembered_end_does_not_affect_a_later_grace_period() {
    let service = Service::new();
    let first = service.issue(&[]).await;
    let id = first.record.id;
    let options = || RegenerateOptions::new().grace_period("1d");
    let second = service.hallpass.regenerate(&alice(), id, options()).await.unwrap();
    service.store.faults().on(Operation::ReplaceDigest).fail();
    assert!(service.accepts(second.token.reveal()).await);
    assert!(!service.accepts(first.token.reveal()).await);
    let third = service.hallpass.regenerate(&alice(), id, options()).await.unwrap();
    assert!(service.accepts(second.token.reveal()).await, "the third secret has not been used yet");
    assert!(service.accepts(third.token.reveal()).await);
    assert!(!service.accepts(second.token.reveal()).await);
}

#[tokio::test]
async fn dropped_check_still_ends_the_grace_period_here() {
    let service = Service::new();
    let old = service.issue(&[]).await;
    let options = RegenerateOptions::new().grace_period("1d");
    let new = service.hallpass.regenerate(&alice(), old.record.id, options).await.unwrap();
    let _shut = service.store.faults().on(Operation::ReplaceDigest).stall();
    {
        let mut check = std::pin::pin!(service.check(new.token.reveal()));
        let mut context = Context::from_waker(Waker::noop());
        assert!(check.as_mut().poll(&mut context).is_pending());
    }
    assert!(!service.accepts(old.token.reveal()).await);
}

/// The end of a grace period cannot be stored, because the token was regenerated again. So the
/// token is read again before the end is forgotten on this node.
#[tokio::test]
async fn dropped_check_still_completes_the_end_of_a_grace_period() {
    let service = Service::new();
    let id = service.issue(&[]).await.record.id;
    let options = RegenerateOptions::new().grace_period("1d");
    let new = service.hallpass.regenerate(&alice(), id, options).await.unwrap();
    let gate = service.store.faults().on(Operation::ReplaceDigest).stall();
    {
        let mut check = std::pin::pin!(service.check(new.token.reveal()));
        let mut context = Context::from_waker(Waker::noop());
        assert!(check.as_mut().poll(&mut context).is_pending());
    }
    gate.arrived(1).await;
    let again = service.hallpass.regenerate(&alice(), id, RegenerateOptions::new()).await;
    assert!(again.is_ok());
    let reads = service.store.faults().calls(Operation::Get);
    gate.open();
    let completes = async {
        while service.store.faults().calls(Operation::Get) == reads {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), completes).await.expect("the token was not read");
}
