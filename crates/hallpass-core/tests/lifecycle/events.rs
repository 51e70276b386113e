//! Events: each operation emits one with the actor, the owner, the token, the count and the time.

use hallpass_core::{
    Actor, EventKind, Issued, NewToken, Owner, PresentedToken, RegenerateOptions, RejectReason,
    TokenId, TokenUpdate,
};

use crate::common::*;

/// One event: kind, actor, owner, token, count.
#[track_caller]
fn expect(
    service: &Service,
    kind: EventKind,
    actor: Option<&str>,
    owner: Option<&str>,
    token: Option<TokenId>,
    count: u64,
) {
    let event = service.happened.only();
    assert_eq!(event.kind, kind);
    assert_eq!(event.actor.as_ref().map(Owner::as_str), actor, "{kind:?}");
    assert_eq!(event.owner.as_ref().map(Owner::as_str), owner, "{kind:?}");
    assert_eq!((event.token_id, event.count), (token, count), "{kind:?}");
    assert_eq!(event.at, service.hallpass.now());
}

async fn issue(service: &Service, by: &Actor) -> Issued {
    service.hallpass.issue(by, NewToken::named("ci").scope("a")).await.unwrap()
}

#[tokio::test]
async fn each_operation_emits_an_event_with_actor_and_token() {
    let service = Service::new();
    let hallpass = &service.hallpass;
    let by = job().on_behalf_of("alice");
    let (actor, owner) = (Some("nightly-job"), Some("alice"));

    let token = issue(&service, &by).await;
    let id = token.record.id;
    expect(&service, EventKind::Issued, actor, owner, Some(id), 1);
    service.clock.advance(minutes(7));

    let copy = hallpass.copy(&by, id, TokenUpdate::new()).await.unwrap().record.id;
    expect(&service, EventKind::Copied, actor, owner, Some(copy), 1);

    hallpass.update(&by, id, TokenUpdate::new().name("x"), None).await.unwrap();
    expect(&service, EventKind::Updated, actor, owner, Some(id), 1);
    hallpass.add_scopes(&by, id, ["b"], None).await.unwrap();
    expect(&service, EventKind::Updated, actor, owner, Some(id), 1);
    hallpass.remove_scopes(&by, id, &[scope("b")], None).await.unwrap();
    expect(&service, EventKind::Updated, actor, owner, Some(id), 1);
    hallpass.clear_scopes(&by, id, None).await.unwrap();
    expect(&service, EventKind::Updated, actor, owner, Some(id), 1);

    let options = RegenerateOptions::new().grace_period("1d");
    let new = hallpass.regenerate(&by, id, options).await.unwrap();
    expect(&service, EventKind::Regenerated, actor, owner, Some(id), 1);
    assert!(service.accepts(new.token.reveal()).await);
    // A use of the token caused this change.
    expect(&service, EventKind::GracePeriodEnded, owner, owner, Some(id), 1);

    hallpass.revoke(&by, id).await.unwrap();
    expect(&service, EventKind::Revoked, actor, owner, Some(id), 1);
    let rejected = EventKind::Rejected(RejectReason::Revoked);
    assert!(!service.accepts(new.token.reveal()).await);
    expect(&service, rejected, None, owner, Some(id), 1);

    hallpass.delete(&by, id, None).await.unwrap();
    expect(&service, EventKind::Deleted, actor, owner, Some(id), 1);
    hallpass.revoke_owner(&by, &Owner::new("alice").unwrap(), None).await.unwrap();
    expect(&service, EventKind::Revoked, actor, owner, None, 1);
    hallpass.delete_many(&by, &[copy]).await.unwrap();
    expect(&service, EventKind::Deleted, actor, owner, Some(copy), 1);

    for _ in 0..3 {
        let _ = issue(&service, &by).await;
    }
    service.happened.take();
    hallpass.delete_all(&by).await.unwrap();
    expect(&service, EventKind::Deleted, actor, owner, None, 3);

    let id = issue(&service, &by).await.record.id;
    hallpass.revoke(&by, id).await.unwrap();
    service.clock.advance(days(1));
    service.happened.take();
    hallpass.prune(&by, hallpass.now()).await.unwrap();
    expect(&service, EventKind::Pruned, actor, None, None, 1);

    hallpass.owner_changed(&by, &Owner::new("alice").unwrap()).await.unwrap();
    expect(&service, EventKind::OwnerChanged, actor, owner, None, 1);
}

#[tokio::test]
async fn failed_operation_emits_no_event() {
    let service = Service::new();
    let hallpass = &service.hallpass;
    let token = issue(&service, &alice()).await;
    let id = token.record.id;
    service.happened.take();
    let rejected = [
        hallpass.issue(&alice(), NewToken::named("")).await.is_err(),
        hallpass.copy(&bob(), id, TokenUpdate::new()).await.is_err(),
        hallpass.update(&bob(), id, TokenUpdate::new().name("x"), None).await.is_err(),
        hallpass.regenerate(&root(), id, RegenerateOptions::new()).await.is_err(),
        hallpass.revoke(&bob(), id).await.is_err(),
        hallpass.delete(&bob(), id, None).await.is_err(),
        hallpass.revoke_owner(&bob(), alice().id(), None).await.is_err(),
        hallpass.prune(&alice(), hallpass.now()).await.is_err(),
    ];
    assert_eq!(rejected, [true; 8]);
    hallpass.delete_many(&bob(), &[id]).await.unwrap();
    hallpass.delete_all(&bob()).await.unwrap();
    let recorded: Vec<_> =
        service.happened.take().into_iter().filter(|event| event.kind.is_recorded()).collect();
    assert!(recorded.is_empty(), "{recorded:?}");
}

#[tokio::test]
async fn no_event_contains_a_secret_or_a_digest() {
    let service = Service::new();
    let new = NewToken::named("forged\u{a0}line").description("level=ERROR\nforged");
    let old = service.hallpass.issue(&alice(), new).await.unwrap();
    let options = RegenerateOptions::new().grace_period("1d");
    let new = service.hallpass.regenerate(&alice(), old.record.id, options).await.unwrap();
    assert!(service.accepts(old.token.reveal()).await);
    assert!(service.accepts(new.token.reveal()).await);
    assert!(!service.accepts(old.token.reveal()).await);
    service.hallpass.revoke(&alice(), old.record.id).await.unwrap();
    let events = format!("{:?}", service.happened.take());
    for token in [&old.token, &new.token] {
        assert!(!events.contains(&token.reveal()[25..40]), "{events}");
    }
    for token in [&old.token, &new.token] {
        let (_, presented) = PresentedToken::inspect(token.reveal()).unwrap();
        let digest = presented.digest().to_text();
        let (_, hex) = digest.rsplit_once(':').unwrap();
        assert!(!events.contains(hex) && !events.contains("sha256"), "{events}");
    }
    assert!(events.contains("description"), "the events must contain the changes: {events}");
}

/// Operators search their logs for these names, so the names must not change.
#[test]
fn every_kind_and_reason_has_a_log_name() {
    for (kind, name) in [
        (EventKind::Issued, "issued"),
        (EventKind::Copied, "copied"),
        (EventKind::Updated, "updated"),
        (EventKind::Regenerated, "regenerated"),
        (EventKind::GracePeriodEnded, "grace_period_ended"),
        (EventKind::DigestReplaced, "digest_replaced"),
        (EventKind::Revoked, "revoked"),
        (EventKind::Deleted, "deleted"),
        (EventKind::Pruned, "pruned"),
        (EventKind::ViewedAcrossOwners, "viewed_across_owners"),
        (EventKind::OwnerChanged, "owner_changed"),
        (EventKind::Rejected(RejectReason::Malformed), "rejected"),
    ] {
        assert_eq!(kind.as_str(), name);
    }
    for (reason, name) in [
        (RejectReason::Malformed, "malformed"),
        (RejectReason::Unknown, "unknown"),
        (RejectReason::Revoked, "revoked"),
        (RejectReason::Expired, "expired"),
        (RejectReason::OwnerDisabled, "owner_disabled"),
        (RejectReason::TokenInUrl, "token_in_url"),
    ] {
        assert_eq!(reason.as_str(), name);
    }
}
