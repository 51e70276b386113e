use hallpass_core::{
    AuthError, Catalog, CatalogScope, EventKind, NewToken, Origin, OwnerStatus, RegenerateOptions,
    RejectReason, TokenUpdate, Verification, all_of, any_of, authenticated,
};

use crate::common::*;

/// Returns the result of a check that needs no I/O.
#[track_caller]
fn decided(service: &Service, token: &str) -> Result<hallpass_core::Principal, AuthError> {
    match service.hallpass.verify(token.as_bytes()) {
        Verification::Decided(verdict) => verdict,
        Verification::Pending(_) => panic!("the token must be cached"),
    }
}

#[tokio::test]
async fn malformed_token_never_reaches_the_store() {
    let service = Service::new();
    let token = service.issue(&[]).await.token;
    let text = token.reveal();
    let flipped: String = text
        .chars()
        .rev()
        .enumerate()
        .map(|(n, c)| if n == 20 { if c == 'a' { 'b' } else { 'a' } } else { c })
        .collect::<String>()
        .chars()
        .rev()
        .collect();
    let homoglyph = text.replacen('h', "һ", 1);
    service.happened.take();
    for bad in [
        "",
        "hp_",
        "Bearer",
        &text[1..],
        &text[..text.len() - 1],
        &format!("{text}="),
        &format!("{text} "),
        &format!(" {text}"),
        &text.to_uppercase(),
        &flipped,
        &homoglyph,
        &"a".repeat(300_000),
        &text.replacen("hp_", "hq_", 1),
        &text.replacen('_', "-", 1),
    ] {
        assert_eq!(
            service.rejection(bad).await,
            RejectReason::Malformed,
            "{:?}",
            &bad.chars().take(90).collect::<String>()
        );
        let event = service.happened.only();
        assert_eq!(
            (event.kind, event.token_id),
            (EventKind::Rejected(RejectReason::Malformed), None)
        );
    }
    for bytes in [&b"\xFF\xFE"[..], &[0; 74], text.replacen('p', "\u{0}", 1).as_bytes()] {
        assert_eq!(rejected(service.hallpass.authenticate(bytes).await), RejectReason::Malformed);
    }
    assert_eq!(service.store.faults().calls(Operation::Get), 0);
    assert!(service.accepts(text).await);
}

#[tokio::test]
async fn token_of_another_application_never_reaches_the_store() {
    let store = test_store();
    let ours = Service::over(store.clone(), |b| b.prefix("acme"));
    let theirs = Service::over(store, |b| b.prefix("umbrella"));
    let token = theirs.issue(&[]).await.token;
    assert_eq!(ours.rejection(token.reveal()).await, RejectReason::Malformed);
    assert_eq!(ours.store.faults().calls(Operation::Get), 0);
}

#[tokio::test]
async fn retired_prefix_still_works_and_new_secrets_get_the_new_one() {
    let store = test_store();
    let before = Service::over(store.clone(), |b| b.prefix("old"));
    let token = before.issue(&[]).await;
    let after = Service::over(store.clone(), |b| {
        b.prefix("new").accept_prefix("older").accept_prefix("old")
    });
    assert!(after.accepts(token.token.reveal()).await);
    let new = after
        .hallpass
        .regenerate(&alice(), token.record.id, RegenerateOptions::new())
        .await
        .unwrap();
    assert!(new.token.reveal().starts_with("new_"));
    assert!(after.accepts(new.token.reveal()).await);
    assert!(!after.accepts(token.token.reveal()).await);
    let without = Service::over(store, |b| b.prefix("new"));
    assert_eq!(without.rejection(token.token.reveal()).await, RejectReason::Malformed);
}

#[tokio::test]
async fn secret_is_checked_before_the_status() {
    let service = Service::new();
    let old = service.issue(&[]).await;
    let id = old.record.id;
    let options = RegenerateOptions::new().expires("12h");
    let new = service.hallpass.regenerate(&alice(), id, options).await.unwrap();
    service.clock.advance(days(1));
    assert_eq!(service.rejection(new.token.reveal()).await, RejectReason::Expired);
    assert_eq!(service.rejection(old.token.reveal()).await, RejectReason::Unknown);
    service.hallpass.revoke(&alice(), id).await.unwrap();
    assert_eq!(service.rejection(new.token.reveal()).await, RejectReason::Revoked);
    assert_eq!(service.rejection(old.token.reveal()).await, RejectReason::Unknown);
    service.hallpass.delete(&alice(), id, None).await.unwrap();
    assert_eq!(service.rejection(new.token.reveal()).await, RejectReason::Unknown);
}

#[tokio::test]
async fn every_rejection_reads_the_same_to_the_client() {
    let service = Service::new();
    let (revoked, gone) = (service.issue(&[]).await, service.issue(&[]).await);
    service.hallpass.revoke(&alice(), revoked.record.id).await.unwrap();
    service.hallpass.delete(&alice(), gone.record.id, None).await.unwrap();
    let mut texts = Vec::new();
    for token in [revoked.token.reveal(), gone.token.reveal(), "nonsense"] {
        texts.push(service.check(token).await.unwrap_err().to_string());
    }
    assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
}

#[tokio::test]
async fn token_is_rejected_from_the_exact_expiry_on() {
    let service = Service::new();
    let new = NewToken::named("x").expires("2027-01-01T12:00:00Z");
    let token = service.hallpass.issue(&alice(), new).await.unwrap().token;
    service.clock.set(at("2027-01-01T11:59:59.999Z"));
    assert!(service.accepts(token.reveal()).await);
    service.clock.set(at("2027-01-01T12:00:00Z"));
    assert_eq!(service.rejection(token.reveal()).await, RejectReason::Expired);
}

#[tokio::test]
async fn rejection_event_names_the_owner() {
    let service = Service::new();
    let token = service.issue(&[]).await;
    service.hallpass.revoke(&alice(), token.record.id).await.unwrap();
    service.happened.take();
    assert!(!service.accepts(token.token.reveal()).await);
    let event = service.happened.only();
    assert_eq!(event.kind, EventKind::Rejected(RejectReason::Revoked));
    assert_eq!((event.token_id, event.owner.unwrap().as_str()), (Some(token.record.id), "alice"));
    assert_eq!(event.at, service.hallpass.now());
}

#[tokio::test]
async fn principal_meets_requirements_with_its_scopes() {
    let service = Service::new();
    let token = service.issue(&["projects:read:42", "projects:list", "jobs"]).await.token;
    let principal = service.check(token.reveal()).await.unwrap();
    let read = "projects:read:{id}".parse().unwrap();
    for (id, granted) in [
        ("42", true),
        ("43", false),
        ("042", false),
        ("42 ", false),
        ("*", false),
        ("42:7", false),
        ("", false),
    ] {
        assert_eq!(principal.check(&read, &[("id", id)]).is_allowed(), granted, "{id:?}");
    }
    for (needs, granted) in [
        (authenticated(), true),
        (any_of(["admin", "jobs:run"]).unwrap(), true),
        (all_of(["projects:list", "jobs:run"]).unwrap(), true),
        (all_of(["projects:list", "projects:create"]).unwrap(), false),
        ("projects".parse().unwrap(), false),
        ("job".parse().unwrap(), false),
        ("jobsite".parse().unwrap(), false),
    ] {
        assert_eq!(principal.check(&needs, &()).is_allowed(), granted, "{needs}");
    }
}

#[tokio::test]
async fn scope_removed_from_the_catalog_allows_nothing() {
    let store = test_store();
    let token =
        Service::over(store.clone(), |b| b).issue(&["projects:read", "retired"]).await.token;
    let catalog = Catalog::new().scope(CatalogScope::new("projects:read", "Read"));
    let service = Service::over(store, |b| b.catalog(catalog));
    let principal = service.check(token.reveal()).await.unwrap();
    assert_eq!(*principal.scopes(), set(&["projects:read"]));
    assert!(!principal.allows(&scope("retired")));
    assert!(!principal.check(&"retired".parse().unwrap(), &()).is_allowed());
    let record = service.hallpass.get(&alice(), principal.token_id().unwrap()).await.unwrap();
    assert_eq!(record.scopes.len(), 2, "the stored record must not change");
}

#[tokio::test]
async fn scope_above_those_of_the_catalog_allows_them() {
    let catalog = Catalog::new()
        .scope(CatalogScope::new("record:read", "Read"))
        .scope(CatalogScope::new("record:write", "Write"));
    let store = test_store();
    let before = Service::over(store.clone(), |b| b.catalog(catalog.clone()));
    let token = before.issue(&["record"]).await.token;
    let later = Service::over(store, |b| {
        b.catalog(catalog.scope(CatalogScope::new("record:delete", "Delete")))
    });
    for service in [&before, &later] {
        let person = hallpass_core::Principal::external("alice".parse().unwrap(), set(&["record"]));
        let person = person.within_catalog_of(&service.hallpass);
        for principal in [service.check(token.reveal()).await.unwrap(), person] {
            for needed in ["record:read", "record:write", "record:delete"] {
                assert!(principal.allows(&scope(needed)), "{needed}");
            }
        }
    }
}

#[tokio::test]
async fn principal_is_a_snapshot() {
    let service = Service::new();
    let token = service.issue(&["a"]).await;
    let principal = service.check(token.token.reveal()).await.unwrap();
    service.hallpass.clear_scopes(&alice(), token.record.id, None).await.unwrap();
    service.hallpass.revoke(&alice(), token.record.id).await.unwrap();
    assert!(principal.allows(&scope("a")));
}

#[tokio::test]
async fn cache_hit_is_decided_at_once_and_checks_the_expiry() {
    let service = Service::new();
    let new = NewToken::named("x").expires("12h");
    let token = service.hallpass.issue(&alice(), new).await.unwrap();
    service.cache.pin(token.record.id).await.unwrap();
    let reads = service.store.faults().calls(Operation::Get);
    assert!(decided(&service, token.token.reveal()).is_ok());
    service.clock.set(at("2027-01-01T12:00:00Z"));
    assert_eq!(rejected(decided(&service, token.token.reveal())), RejectReason::Expired);
    assert_eq!(service.store.faults().calls(Operation::Get), reads);
}

#[tokio::test]
async fn new_secret_works_while_the_cache_is_stale() {
    let service = Service::new();
    let old = service.issue(&[]).await;
    let id = old.record.id;
    service.cache.pin(id).await.unwrap();
    let options = RegenerateOptions::new().grace_period("1d");
    let new = service.hallpass.regenerate(&alice(), id, options).await.unwrap();
    assert!(service.accepts(new.token.reveal()).await);
    let stored = service.store.stored(id).await.unwrap();
    assert!(
        stored.secrets.previous.is_none(),
        "the first use of the new secret must end the grace period"
    );
}

#[tokio::test]
async fn new_secret_works_while_stale_with_an_owner_directory() {
    let service = Service::with(|b| b.owner_directory(|_| async { Ok(OwnerStatus::Active) }));
    let old = service.issue(&[]).await;
    service.cache.pin(old.record.id).await.unwrap();
    let options = RegenerateOptions::new();
    let new = service.hallpass.regenerate(&alice(), old.record.id, options).await.unwrap();
    assert!(service.accepts(new.token.reveal()).await);
}

#[tokio::test]
async fn wrong_secret_for_a_cached_token_costs_one_store_read() {
    let service = Service::new();
    let old = service.issue(&[]).await;
    let id = old.record.id;
    let _ = service.hallpass.regenerate(&alice(), id, RegenerateOptions::new()).await.unwrap();
    service.cache.pin(id).await.unwrap();
    let before = service.store.faults().calls(Operation::Get);
    assert_eq!(service.rejection(old.token.reveal()).await, RejectReason::Unknown);
    assert_eq!(service.store.faults().calls(Operation::Get), before + 1);
    service.hallpass.delete(&alice(), id, None).await.unwrap();
    assert_eq!(service.rejection(old.token.reveal()).await, RejectReason::Unknown);
}

#[tokio::test]
async fn cached_grace_period_ends_at_the_first_use_of_the_new_secret() {
    let service = Service::new();
    let old = service.issue(&[]).await;
    let id = old.record.id;
    let options = RegenerateOptions::new().grace_period("1d");
    let new = service.hallpass.regenerate(&alice(), id, options).await.unwrap();
    service.cache.pin(id).await.unwrap();
    assert!(decided(&service, old.token.reveal()).is_ok());
    assert!(service.accepts(new.token.reveal()).await);
    let stored = service.store.stored(id).await.unwrap();
    assert!(stored.secrets.previous.is_none());
}

#[tokio::test]
async fn event_of_a_rejected_token_names_the_origin() {
    let service = Service::new();
    let origin = Origin::new().request_id("r-1");
    let revoked = service.issue(&[]).await;
    service.hallpass.revoke(&alice(), revoked.record.id).await.unwrap();
    let deleted = service.issue(&[]).await;
    service.hallpass.delete(&alice(), deleted.record.id, None).await.unwrap();
    for (text, reason) in [
        ("hp_abc", RejectReason::Malformed),
        (revoked.token.reveal(), RejectReason::Revoked),
        (deleted.token.reveal(), RejectReason::Unknown),
    ] {
        service.happened.take();
        let verdict = match service.hallpass.verify_from(text.as_bytes(), &origin) {
            Verification::Decided(verdict) => verdict,
            Verification::Pending(check) => check.resolve().await,
        };
        assert!(verdict.is_err(), "{reason:?}");
        let event = service.happened.only();
        assert_eq!(event.kind, EventKind::Rejected(reason));
        assert_eq!(event.origin, origin, "{reason:?}");
    }
}

#[tokio::test]
async fn token_in_a_url_is_reported_and_other_text_is_not() {
    let service = Service::new();
    let token = service.issue(&[]).await;
    service.happened.take();
    assert!(!service.hallpass.report_query_token(b"session-cookie", &Origin::default()));
    assert!(service.happened.take().is_empty());
    assert!(
        service.hallpass.report_query_token(token.token.reveal().as_bytes(), &Origin::default())
    );
    let event = service.happened.only();
    assert_eq!(event.kind, EventKind::Rejected(RejectReason::TokenInUrl));
    assert_eq!(event.token_id, Some(token.record.id));
}

#[tokio::test]
async fn update_applies_from_the_next_check_on() {
    let service = Service::new();
    let token = service.issue(&["a", "b"]).await;
    let text = token.token.reveal();
    assert!(service.check(text).await.unwrap().allows(&scope("a")));
    let update = TokenUpdate::new().scopes(["b"]);
    service.hallpass.update(&alice(), token.record.id, update, None).await.unwrap();
    assert!(!service.check(text).await.unwrap().allows(&scope("a")));
}
