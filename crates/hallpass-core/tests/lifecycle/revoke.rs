use hallpass_core::{
    Error, EventKind, Owner, PermissionError, RegenerateOptions, RejectReason, Revision,
    TokenUpdate,
};

use crate::common::*;

fn owner(id: &str) -> Owner {
    Owner::new(id).unwrap()
}

#[tokio::test]
async fn revoked_token_is_rejected_at_once() {
    let service = Service::new();
    let token = service.issue(&["a"]).await;
    assert!(service.accepts(token.token.reveal()).await);
    service.clock.advance(minutes(5));
    let record = service.hallpass.revoke(&alice(), token.record.id).await.unwrap();
    assert_eq!(record.revoked_at, Some(service.hallpass.now()));
    assert_eq!(record.revision, Revision::new(2));
    assert_eq!(service.rejection(token.token.reveal()).await, RejectReason::Revoked);
}

#[tokio::test]
async fn revoking_twice_changes_nothing_and_deleting_still_works() {
    let service = Service::new();
    let id = service.issue(&[]).await.record.id;
    let first = service.hallpass.revoke(&alice(), id).await.unwrap();
    let head = service.store.head().await;
    service.happened.take();
    service.clock.advance(minutes(5));
    assert_eq!(service.hallpass.revoke(&alice(), id).await.unwrap(), first);
    assert_eq!(service.store.head().await, head);
    assert!(service.happened.take().is_empty());
    service.hallpass.delete(&alice(), id, None).await.unwrap();
    assert!(service.store.head().await > head);
    assert!(matches!(error(service.hallpass.revoke(&alice(), id).await), Error::NotFound));
    assert!(matches!(error(service.hallpass.delete(&alice(), id, None).await), Error::NotFound));
}

#[tokio::test]
async fn expired_token_can_be_revoked() {
    let service = Service::new();
    let token = service.issue(&[]).await;
    let update = TokenUpdate::new().expires("12h");
    service.hallpass.update(&alice(), token.record.id, update, None).await.unwrap();
    service.clock.advance(days(1));
    assert_eq!(service.rejection(token.token.reveal()).await, RejectReason::Expired);
    service.hallpass.revoke(&alice(), token.record.id).await.unwrap();
    assert_eq!(service.rejection(token.token.reveal()).await, RejectReason::Revoked);
}

#[tokio::test]
async fn owners_revoke_their_own_tokens_and_admins_any() {
    let service = Service::new();
    let token = service.issue(&[]).await;
    let outcome = service.hallpass.revoke(&bob(), token.record.id).await;
    assert!(matches!(error(outcome), Error::NotFound));
    assert!(service.accepts(token.token.reveal()).await);
    service.happened.take();
    service.hallpass.revoke(&root(), token.record.id).await.unwrap();
    let event = service.happened.only();
    assert_eq!((event.kind, event.actor.unwrap().as_str()), (EventKind::Revoked, "root"));
    assert_eq!((event.owner.unwrap().as_str(), event.token_id), ("alice", Some(token.record.id)));
    assert!(!service.accepts(token.token.reveal()).await);
}

#[tokio::test]
async fn concurrent_edit_does_not_prevent_revocation() {
    let service = Service::new();
    let token = service.issue(&[]).await;
    let (id, hallpass) = (token.record.id, service.hallpass.clone());
    service.store.faults().on(Operation::Get).meanwhile(async move {
        hallpass.update(&alice(), id, TokenUpdate::new().name("x"), None).await.unwrap();
    });
    let record = service.hallpass.revoke(&alice(), id).await.unwrap();
    assert_eq!((record.name.as_str(), record.revision), ("x", Revision::new(3)));
    assert!(!service.accepts(token.token.reveal()).await);
}

#[tokio::test]
async fn secret_that_replaced_an_older_one_meanwhile_is_not_revoked() {
    let service = Service::new();
    let token = service.issue(&[]).await;
    let (id, hallpass) = (token.record.id, service.hallpass.clone());
    service.clock.advance(minutes(5));
    let limit = service.hallpass.now();
    let (sender, receiver) = std::sync::mpsc::channel();
    service.store.faults().on(Operation::Get).meanwhile(async move {
        let new = hallpass.regenerate(&alice(), id, RegenerateOptions::new()).await.unwrap();
        sender.send(new.token).unwrap();
    });
    let result = service.hallpass.revoke_many(&alice(), &[id], Some(limit)).await.unwrap();
    assert!(result.revoked.is_empty() && result.not_found.is_empty(), "{result:?}");
    assert!(service.accepts(receiver.recv().unwrap().reveal()).await);
    assert!(!service.accepts(token.token.reveal()).await);
}

#[tokio::test]
async fn revocation_with_unknown_outcome_is_tried_again() {
    for (fault, changes) in [(Fault::LostAfter, 1), (Fault::LostBefore, 2)] {
        let service = Service::new();
        let token = service.issue(&[]).await;
        service.happened.take();
        fault.befalls(service.store.faults().on(Operation::Update).once());
        let record = service.hallpass.revoke(&alice(), token.record.id).await.unwrap();
        assert!(record.revoked_at.is_some());
        assert_eq!(service.store.faults().calls(Operation::Update), changes);
        assert!(!service.accepts(token.token.reveal()).await);
        // There is one event, regardless of which attempt has revoked the token.
        let revoked: Vec<_> =
            service.happened.take().into_iter().filter(|e| e.kind == EventKind::Revoked).collect();
        assert_eq!(revoked.len(), 1, "{fault:?}");
        assert_eq!(revoked[0].token_id, Some(token.record.id));
    }
}

#[tokio::test]
async fn revocation_with_lasting_unknown_outcome_is_a_store_error() {
    let service = Service::new();
    let id = service.issue(&[]).await.record.id;
    service.store.faults().on(Operation::Update).lose_call();
    let error = error(service.hallpass.revoke(&alice(), id).await);
    assert!(error.is_unavailable(), "{error:?}");
    let calls = service.store.faults().calls(Operation::Update);
    assert!(
        (2..=8).contains(&calls),
        "{calls} attempts, each of which may take as long as the store's deadline"
    );
}

#[tokio::test]
async fn revoke_owner_revokes_all_tokens_in_one_step() {
    let service = Service::new();
    let (one, two) = (service.issue(&[]).await, service.issue(&[]).await);
    service.hallpass.revoke(&alice(), one.record.id).await.unwrap();
    let bobs = service.hallpass.issue(&bob(), hallpass_core::NewToken::named("x")).await.unwrap();
    let head = service.store.head().await;
    service.happened.take();
    assert_eq!(service.hallpass.revoke_owner(&root(), &owner("alice"), None).await.unwrap(), 1);
    assert_eq!(service.store.head().await, head.next(), "the call must write one log entry");
    let event = service.happened.only();
    assert_eq!((event.kind, event.token_id, event.count), (EventKind::Revoked, None, 1));
    assert_eq!(event.owner.unwrap(), owner("alice"));
    assert!(!service.accepts(two.token.reveal()).await);
    assert!(service.accepts(bobs.token.reveal()).await);
    assert_eq!(
        service.hallpass.get(&alice(), two.record.id).await.unwrap().revision,
        Revision::new(2)
    );

    service.happened.take();
    assert_eq!(service.hallpass.revoke_owner(&root(), &owner("alice"), None).await.unwrap(), 0);
    assert_eq!(service.hallpass.revoke_owner(&root(), &owner("nobody"), None).await.unwrap(), 0);
    assert!(service.happened.take().is_empty());
}

#[tokio::test]
async fn owner_cannot_revoke_tokens_of_another_owner() {
    let service = Service::new();
    let token = service.issue(&[]).await;
    for nobody in ["alice", "nobody"] {
        let outcome = service.hallpass.revoke_owner(&bob(), &owner(nobody), None).await;
        assert!(matches!(error(outcome), Error::Forbidden(PermissionError::OnlyAdmins)));
    }
    assert!(service.accepts(token.token.reveal()).await);
    assert_eq!(service.hallpass.revoke_owner(&alice(), &owner("alice"), None).await.unwrap(), 1);
    assert_eq!(service.hallpass.revoke_owner(&job(), &owner("alice"), None).await.unwrap(), 0);
}
