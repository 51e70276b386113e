use hallpass_core::{
    Error, EventKind, MAX_GRACE_PERIOD, NewToken, Origin, PermissionError, RegenerateOptions,
    RejectReason, Revision, Status, TokenUpdate, Verification,
};
use jiff::SignedDuration;

use crate::common::*;

/// Regenerates a token and returns the new secret.
async fn regenerate(
    service: &Service,
    issued: &hallpass_core::Issued,
    options: RegenerateOptions,
) -> String {
    let new = service.hallpass.regenerate(&alice(), issued.record.id, options).await.unwrap();
    new.token.reveal().to_owned()
}

async fn issue_until(service: &Service, expires: &str) -> hallpass_core::Issued {
    service.hallpass.issue(&alice(), NewToken::named("ci").expires(expires)).await.unwrap()
}

#[tokio::test]
async fn regenerate_replaces_the_secret_at_once() {
    let service = Service::new();
    let new = NewToken::named("ci").description("d").scope("a").expires("30d");
    let old = service.hallpass.issue(&alice(), new).await.unwrap();
    assert!(service.accepts(old.token.reveal()).await);
    service.clock.advance(days(1));
    let new = service
        .hallpass
        .regenerate(&alice(), old.record.id, RegenerateOptions::new())
        .await
        .unwrap();
    let (was, is) = (&old.record, &new.record);
    assert_eq!((is.id, &is.owner, &is.name), (was.id, &was.owner, &was.name));
    assert_eq!((&is.description, &is.scopes), (&was.description, &was.scopes));
    assert_eq!((is.created_at, is.expires_at), (was.created_at, was.expires_at));
    assert_eq!(is.regenerated_at, Some(service.hallpass.now()));
    assert_eq!(is.revision, Revision::new(2));
    assert_eq!(is.last_used_at, Some(at(START)), "the last use must be kept");
    assert_eq!(service.hallpass.get(&alice(), is.id).await.unwrap(), *is);

    assert_eq!(service.rejection(old.token.reveal()).await, RejectReason::Unknown);
    assert!(service.accepts(new.token.reveal()).await);
}

#[tokio::test]
async fn regenerated_revoked_token_works_with_the_new_secret_only() {
    let service = Service::new();
    let old = service.issue(&[]).await;
    service.hallpass.revoke(&alice(), old.record.id).await.unwrap();
    let new = service
        .hallpass
        .regenerate(&alice(), old.record.id, RegenerateOptions::new().grace_period("1d"))
        .await
        .unwrap();
    assert_eq!(new.record.revoked_at, None);
    assert_eq!(new.record.status(service.hallpass.now()), Status::Active);
    assert!(
        !service.accepts(old.token.reveal()).await,
        "the old secret must be rejected even within a grace period"
    );
    assert!(service.accepts(new.token.reveal()).await);
}

#[tokio::test]
async fn regenerating_an_expired_token_needs_a_new_expiry() {
    let service = Service::new();
    let old = issue_until(&service, "12h").await;
    service.clock.advance(days(1));
    let id = old.record.id;
    let outcome = service.hallpass.regenerate(&alice(), id, RegenerateOptions::new()).await;
    assert_eq!(fields(outcome), ["expires"]);
    let options = RegenerateOptions::new().expires("12h").grace_period("12h");
    let new = service.hallpass.regenerate(&alice(), id, options).await.unwrap();
    assert_eq!(new.record.expires_at, Some(at("2027-01-02T12:00:00Z")));
    assert!(
        !service.accepts(old.token.reveal()).await,
        "the old secret of an ended token must stay invalid"
    );
    assert!(service.accepts(new.token.reveal()).await);
}

#[tokio::test]
async fn regenerating_a_revoked_expired_token_needs_a_new_expiry() {
    let service = Service::new();
    let old = issue_until(&service, "12h").await;
    service.hallpass.revoke(&alice(), old.record.id).await.unwrap();
    service.clock.set(at("2027-01-01T12:00:00Z"));
    let outcome =
        service.hallpass.regenerate(&alice(), old.record.id, RegenerateOptions::new()).await;
    assert_eq!(
        fields(outcome),
        ["expires"],
        "from the exact expiry on, a new expiry must be required"
    );
    let new = regenerate(&service, &old, RegenerateOptions::new().expires("never")).await;
    assert!(service.accepts(&new).await);
}

#[tokio::test]
async fn regenerate_reports_all_errors_and_keeps_the_secret() {
    let service = Service::new();
    let old = service.issue(&[]).await;
    for (expires, grace_period, wrong) in [
        ("soon", "31d", &["expires", "grace_period"][..]),
        ("2026-12-31", "0d", &["expires", "grace_period"]),
        ("30d", "721h", &["grace_period"]),
        ("30d", "1y", &["grace_period"]),
        ("30d", "never", &["grace_period"]),
        ("30d", "2027-01-02", &["grace_period"]),
        ("30d", "-1h", &["grace_period"]),
        ("30d", "", &["grace_period"]),
        ("2027-01-01T00:00:59Z", "1h", &["expires"]),
    ] {
        let options = RegenerateOptions::new().expires(expires).grace_period(grace_period);
        let outcome = service.hallpass.regenerate(&alice(), old.record.id, options).await;
        assert_eq!(fields(outcome), wrong, "{expires} {grace_period}");
    }
    for span in [
        SignedDuration::ZERO,
        SignedDuration::MIN,
        SignedDuration::MAX,
        MAX_GRACE_PERIOD + SignedDuration::from_millis(1),
    ] {
        let options = RegenerateOptions::new().grace_period(span);
        let outcome = service.hallpass.regenerate(&alice(), old.record.id, options).await;
        assert_eq!(fields(outcome), ["grace_period"], "{span:?}");
    }
    assert!(service.accepts(old.token.reveal()).await);
    assert_eq!(service.store.faults().calls(Operation::Update), 0);
}

#[tokio::test]
async fn grace_period_ends_at_its_time() {
    let service = Service::new();
    let old = service.issue(&[]).await;
    let new = regenerate(&service, &old, RegenerateOptions::new().grace_period("30d")).await;
    service.clock.advance(MAX_GRACE_PERIOD - SignedDuration::from_millis(1));
    assert!(service.accepts(old.token.reveal()).await);
    service.clock.advance(SignedDuration::from_millis(1));
    assert_eq!(service.rejection(old.token.reveal()).await, RejectReason::Unknown);
    assert!(service.accepts(&new).await);
}

#[tokio::test]
async fn end_of_a_grace_period_has_millisecond_precision() {
    let service = Service::new();
    let old = service.issue(&[]).await;
    let options = RegenerateOptions::new().grace_period(SignedDuration::from_micros(60_000_500));
    let new = service.hallpass.regenerate(&alice(), old.record.id, options).await.unwrap().record;
    let end = service.hallpass.now() + SignedDuration::from_mins(1);
    assert_eq!(new.previous_secret_expires_at, Some(end));
}

#[tokio::test]
async fn grace_period_ends_at_the_first_use_of_the_new_secret() {
    let service = Service::new();
    let old = service.issue(&[]).await;
    let new = regenerate(&service, &old, RegenerateOptions::new().grace_period("1d")).await;
    assert!(service.accepts(old.token.reveal()).await);
    assert!(
        service.accepts(old.token.reveal()).await,
        "uses of the previous secret must not end the grace period"
    );
    service.happened.take();
    let origin = Origin::new().request_id("r-1");
    let Verification::Pending(check) = service.hallpass.verify_from(new.as_bytes(), &origin) else {
        panic!("ending the grace period must be written to the store");
    };
    check.resolve().await.unwrap();
    let event = service.happened.only();
    assert_eq!((event.kind, event.token_id), (EventKind::GracePeriodEnded, Some(old.record.id)));
    assert_eq!(event.origin, origin);
    assert_eq!(service.rejection(old.token.reveal()).await, RejectReason::Unknown);
    assert!(service.accepts(&new).await);
    let stored = service.store.stored(old.record.id).await.unwrap();
    assert!(stored.secrets.previous.is_none(), "the end of the grace period must be stored");
    assert_eq!(
        stored.record.revision,
        Revision::new(2),
        "ending the grace period must keep the revision"
    );
}

#[tokio::test]
async fn grace_period_never_exceeds_the_old_expiry() {
    let service = Service::new();
    let old = issue_until(&service, "12h").await;
    let options = RegenerateOptions::new().grace_period("7d").expires("1y");
    let new = regenerate(&service, &old, options).await;
    service.clock.set(at("2027-01-01T11:59:59.999Z"));
    assert!(service.accepts(old.token.reveal()).await);
    service.clock.set(at("2027-01-01T12:00:00Z"));
    assert!(!service.accepts(old.token.reveal()).await);
    assert!(service.accepts(&new).await);
}

#[tokio::test]
async fn grace_period_never_exceeds_an_earlier_new_expiry() {
    let service = Service::new();
    let old = service.issue(&[]).await;
    regenerate(&service, &old, RegenerateOptions::new().grace_period("7d").expires("12h")).await;
    service.clock.set(at("2027-01-01T12:00:00Z"));
    assert_eq!(service.rejection(old.token.reveal()).await, RejectReason::Expired);
}

#[tokio::test]
async fn only_the_most_recent_previous_secret_works() {
    let service = Service::new();
    let first = service.issue(&[]).await;
    let second = regenerate(&service, &first, RegenerateOptions::new().grace_period("7d")).await;
    let third = regenerate(&service, &first, RegenerateOptions::new().grace_period("7d")).await;
    assert!(!service.accepts(first.token.reveal()).await);
    assert!(service.accepts(&second).await);
    assert!(service.accepts(&third).await);
    assert!(!service.accepts(&second).await);
    let fourth = regenerate(&service, &first, RegenerateOptions::new()).await;
    assert!(!service.accepts(&third).await);
    assert!(service.accepts(&fourth).await);
}

#[tokio::test]
async fn regenerate_without_grace_period_ends_the_previous_secret() {
    let service = Service::new();
    let first = service.issue(&[]).await;
    let second = regenerate(&service, &first, RegenerateOptions::new().grace_period("7d")).await;
    let third = regenerate(&service, &first, RegenerateOptions::new()).await;
    for dead in [first.token.reveal(), &second] {
        assert!(!service.accepts(dead).await);
    }
    assert!(service.accepts(&third).await);
}

#[tokio::test]
async fn revocation_ends_both_secrets_permanently() {
    let service = Service::new();
    let old = service.issue(&[]).await;
    let new = regenerate(&service, &old, RegenerateOptions::new().grace_period("7d")).await;
    service.hallpass.revoke(&alice(), old.record.id).await.unwrap();
    for dead in [old.token.reveal(), &new] {
        assert_eq!(service.rejection(dead).await, RejectReason::Revoked);
    }
    let newer = regenerate(&service, &old, RegenerateOptions::new().grace_period("7d")).await;
    for dead in [old.token.reveal(), &new] {
        assert!(!service.accepts(dead).await);
    }
    assert!(service.accepts(&newer).await);
}

#[tokio::test]
async fn editing_a_token_keeps_its_grace_period() {
    let service = Service::new();
    let old = service.issue(&["a"]).await;
    let new = regenerate(&service, &old, RegenerateOptions::new().grace_period("7d")).await;
    let update = TokenUpdate::new().name("x").scopes(["a", "b"]);
    service.hallpass.update(&alice(), old.record.id, update, None).await.unwrap();
    assert_eq!(service.check(old.token.reveal()).await.unwrap().scopes().len(), 2);
    assert!(service.accepts(&new).await);
    assert!(!service.accepts(old.token.reveal()).await);
}

#[tokio::test]
async fn of_two_concurrent_regenerations_one_succeeds() {
    let service = Service::new();
    let old = service.issue(&[]).await;
    let (id, hallpass) = (old.record.id, service.hallpass.clone());
    let (send, winner) = std::sync::mpsc::channel();
    service.store.faults().on(Operation::Get).meanwhile(async move {
        send.send(hallpass.regenerate(&alice(), id, RegenerateOptions::new()).await.unwrap())
            .unwrap();
    });
    let outcome = service.hallpass.regenerate(&alice(), id, RegenerateOptions::new()).await;
    assert!(matches!(error(outcome), Error::Conflict));
    assert!(service.accepts(winner.recv().unwrap().token.reveal()).await);
    assert!(!service.accepts(old.token.reveal()).await);
}

#[tokio::test]
async fn regenerate_at_a_stale_revision_changes_nothing() {
    let service = Service::new();
    let old = service.issue(&[]).await;
    let id = old.record.id;
    let options = || RegenerateOptions::new().if_revision(Some(Revision::new(7)));
    let outcome = service.hallpass.regenerate(&alice(), id, options()).await;
    assert!(matches!(error(outcome), Error::Stale { current: Revision::FIRST, .. }));
    let hallpass = service.hallpass.clone();
    service.store.faults().on(Operation::Get).meanwhile(async move {
        hallpass.update(&alice(), id, TokenUpdate::new().name("x"), None).await.unwrap();
    });
    let options = RegenerateOptions::new().if_revision(Some(Revision::FIRST));
    let outcome = service.hallpass.regenerate(&alice(), id, options).await;
    assert!(matches!(error(outcome), Error::Stale { current, .. } if current == Revision::new(2)));
    assert!(service.accepts(old.token.reveal()).await);
}

#[tokio::test]
async fn regenerate_treats_foreign_and_missing_tokens_alike() {
    let service = Service::new();
    let (alices, gone) = (service.issue(&[]).await, service.issue(&[]).await);
    service.hallpass.delete(&alice(), gone.record.id, None).await.unwrap();
    for id in [alices.record.id, gone.record.id, nobodys()] {
        let outcome = service.hallpass.regenerate(&bob(), id, RegenerateOptions::new()).await;
        assert!(matches!(error(outcome), Error::NotFound));
    }
    let outcome =
        service.hallpass.regenerate(&root(), alices.record.id, RegenerateOptions::new()).await;
    assert!(matches!(error(outcome), Error::Forbidden(PermissionError::OnlyItsOwner)));
    assert!(service.accepts(alices.token.reveal()).await);
}

#[tokio::test]
async fn regenerate_needs_all_scopes_to_be_grantable() {
    let service = Service::new();
    let old = service.issue(&["projects", "jobs"]).await;
    let by = alice().with_grantable_scopes(set(&["jobs"]));
    match service.hallpass.regenerate(&by, old.record.id, RegenerateOptions::new()).await {
        Err(Error::Forbidden(PermissionError::Scopes(beyond))) => {
            assert_eq!(beyond, [scope("projects")]);
        }
        other => panic!("{other:?}"),
    }
    assert!(service.accepts(old.token.reveal()).await);
}

#[tokio::test]
async fn late_flush_of_an_old_use_changes_nothing() {
    let service = Service::new();
    let old = service.issue(&[]).await;
    assert!(service.accepts(old.token.reveal()).await);
    // The use waits because the store cannot record it, and the token gets another secret in the
    // meantime.
    service.store.faults().on(Operation::RecordUses).fail();
    let new = regenerate(&service, &old, RegenerateOptions::new()).await;
    service.store.faults().heal();
    assert_eq!(
        service.hallpass.flush_uses().await.unwrap(),
        0,
        "a use of another revision must be dropped"
    );
    assert!(!service.accepts(old.token.reveal()).await);
    assert!(service.accepts(&new).await);
}
