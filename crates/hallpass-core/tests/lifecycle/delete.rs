use hallpass_core::{Error, EventKind, NewToken, RejectReason, Revision, TokenId, TokenUpdate};

use crate::common::*;

#[tokio::test]
async fn deleted_token_looks_like_one_that_never_existed() {
    let service = Service::new();
    let token = service.issue(&[]).await;
    let id = token.record.id;
    service.happened.take();
    service.hallpass.delete(&alice(), id, None).await.unwrap();
    let event = service.happened.only();
    assert_eq!((event.kind, event.token_id, event.count), (EventKind::Deleted, Some(id), 1));
    assert_eq!(service.rejection(token.token.reveal()).await, RejectReason::Unknown);
    assert!(matches!(error(service.hallpass.get(&alice(), id).await), Error::NotFound));
    assert!(matches!(error(service.hallpass.delete(&alice(), id, None).await), Error::NotFound));
}

#[tokio::test]
async fn owners_delete_their_own_tokens_and_admins_any() {
    let service = Service::new();
    for by in [alice(), root(), job()] {
        let token = service.issue(&[]).await;
        let outcome = service.hallpass.delete(&bob(), token.record.id, None).await;
        assert!(matches!(error(outcome), Error::NotFound));
        assert!(service.accepts(token.token.reveal()).await);
        service.hallpass.delete(&by, token.record.id, None).await.unwrap();
        assert!(!service.accepts(token.token.reveal()).await);
    }
}

#[tokio::test]
async fn delete_at_a_stale_revision_deletes_nothing() {
    let service = Service::new();
    let id = service.issue(&[]).await.record.id;
    let outcome = service.hallpass.delete(&alice(), id, Some(Revision::new(2))).await;
    assert!(matches!(error(outcome), Error::Stale { current: Revision::FIRST, .. }));
    let hallpass = service.hallpass.clone();
    service.store.faults().on(Operation::Get).meanwhile(async move {
        hallpass.update(&alice(), id, TokenUpdate::new().name("x"), None).await.unwrap();
    });
    let outcome = service.hallpass.delete(&alice(), id, Some(Revision::FIRST)).await;
    assert!(matches!(error(outcome), Error::Stale { current, .. } if current == Revision::new(2)));
    service.hallpass.delete(&alice(), id, Some(Revision::new(2))).await.unwrap();
}

#[tokio::test]
async fn delete_many_lists_the_tokens_that_do_not_exist() {
    let service = Service::new();
    let (one, two) = (service.issue(&[]).await.record.id, service.issue(&[]).await.record.id);
    let bobs = service.hallpass.issue(&bob(), NewToken::named("x")).await.unwrap();
    service.happened.take();
    let ids = [two, nobodys(), one, bobs.record.id, one, nobodys()];
    let done = service.hallpass.delete_many(&alice(), &ids).await.unwrap();
    let mut deleted = done.deleted;
    deleted.sort_unstable();
    let mut expected = vec![one, two];
    expected.sort_unstable();
    assert_eq!(deleted, expected);
    assert_eq!(done.not_found.len(), 2);
    assert!(done.not_found.contains(&nobodys()) && done.not_found.contains(&bobs.record.id));
    assert!(
        service.accepts(bobs.token.reveal()).await,
        "a token of another owner must look nonexistent"
    );
    let events = service.happened.take();
    assert_eq!(events.len(), 2);
    assert!(events.iter().all(|e| e.kind == EventKind::Deleted && e.token_id.is_some()));

    let done = service.hallpass.delete_many(&root(), &[bobs.record.id]).await.unwrap();
    assert_eq!(done.deleted, [bobs.record.id]);
    assert_eq!(service.happened.only().owner.unwrap().as_str(), "bob");
    let none = service.hallpass.delete_many(&alice(), &[]).await.unwrap();
    assert_eq!((none.deleted.len(), none.not_found.len()), (0, 0));
}

/// Returns many ids that no token has. They sort before the ids of tokens.
fn unknown_ids(count: u32) -> impl Iterator<Item = TokenId> {
    (0..count).map(|number| format!("00000000-0000-8000-8000-{number:012x}").parse().unwrap())
}

#[tokio::test]
async fn delete_many_asks_the_store_for_500_tokens_at_once() {
    let service = Service::new();
    let (one, two) = (service.issue(&[]).await.record.id, service.issue(&[]).await.record.id);
    let ids: Vec<_> = unknown_ids(999).chain([one, two]).collect();
    let done = service.hallpass.delete_many(&alice(), &ids).await.unwrap();
    assert_eq!((done.deleted.len(), done.not_found.len()), (2, 999));
    assert_eq!(service.store.faults().calls(Operation::DeleteMany), 3);
}

#[tokio::test]
async fn failed_batch_of_delete_many_keeps_the_earlier_ones() {
    let service = Service::new();
    let (one, two) = (service.issue(&[]).await, service.issue(&[]).await);
    service.happened.take();
    let (first, second) = (one.record.id.min(two.record.id), one.record.id.max(two.record.id));
    let ids: Vec<_> = unknown_ids(499).chain([first, second]).collect();
    let faults = service.store.faults();
    faults.on(Operation::DeleteMany).meanwhile(async {});
    faults.on(Operation::DeleteMany).once().fail();
    assert!(error(service.hallpass.delete_many(&alice(), &ids).await).is_unavailable());
    assert_eq!(service.happened.only().token_id, Some(first));
    let done = service.hallpass.delete_many(&alice(), &ids).await.unwrap();
    assert_eq!((done.deleted, done.not_found.len()), (vec![second], 500));
}

#[tokio::test]
async fn delete_all_deletes_all_tokens_of_the_actor() {
    let service = Service::with(|b| b.limits(hallpass_core::Limits::default().unlimited_tokens()));
    let mut tokens = Vec::new();
    for _ in 0..60 {
        tokens.push(service.issue(&[]).await.token);
    }
    let roots = service.hallpass.issue(&root(), NewToken::named("x")).await.unwrap();
    let head = service.store.head().await;
    service.happened.take();
    assert_eq!(service.hallpass.delete_all(&alice()).await.unwrap(), 60);
    assert_eq!(
        service.store.head().await,
        head.next(),
        "the call must write one log entry, not 60"
    );
    let event = service.happened.only();
    assert_eq!((event.kind, event.token_id, event.count), (EventKind::Deleted, None, 60));
    for token in &tokens {
        assert!(!service.accepts(token.reveal()).await);
    }
    service.happened.take();
    assert_eq!(service.hallpass.delete_all(&alice()).await.unwrap(), 0);
    assert!(service.happened.take().is_empty());
    assert!(service.accepts(roots.token.reveal()).await);
    // For an admin, too, `delete_all` deletes only the admin's own tokens.
    let _ = service.issue(&[]).await;
    assert_eq!(service.hallpass.delete_all(&root()).await.unwrap(), 1);
}

#[tokio::test]
async fn delete_all_by_a_system_actor_needs_a_subject() {
    let service = Service::new();
    let _ = service.issue(&[]).await;
    let outcome = service.hallpass.delete_all(&job()).await;
    assert!(matches!(error(outcome), Error::Invalid(faults) if faults[0].field == "owner"));
    assert_eq!(service.hallpass.delete_all(&job().on_behalf_of("alice")).await.unwrap(), 1);
}
