use hallpass_core::{
    Catalog, CatalogScope, Error, EventKind, PermissionError, Revision, ScopeSet, TokenUpdate,
};

use crate::common::*;

fn renamed(name: &str) -> TokenUpdate {
    TokenUpdate::new().name(name)
}

#[tokio::test]
async fn update_changes_only_the_given_fields() {
    let service = Service::new();
    let before = service.issue(&["a"]).await;
    let id = before.record.id;
    let update = renamed(" deploy ").description("to production").scopes(["b", "a"]).expires("30d");
    let after = service.hallpass.update(&alice(), id, update, None).await.unwrap();
    assert_eq!((after.name.as_str(), after.description.as_str()), ("deploy", "to production"));
    assert_eq!(after.scopes, set(&["a", "b"]));
    assert_eq!(after.expires_at, Some(at("2027-01-31T00:00:00Z")));
    assert_eq!(after.revision, Revision::new(2));
    assert_eq!(
        (&after.owner, after.id, after.created_at),
        (&before.record.owner, id, before.record.created_at)
    );
    assert_eq!(service.hallpass.get(&alice(), id).await.unwrap(), after);

    let cleared = TokenUpdate::new().description("").expires("never");
    let after = service.hallpass.update(&alice(), id, cleared, None).await.unwrap();
    assert_eq!(
        (after.name.as_str(), after.description.as_str(), after.expires_at),
        ("deploy", "", None)
    );
    assert!(service.accepts(before.token.reveal()).await, "the secret must stay the same");
}

#[tokio::test]
async fn update_without_a_difference_keeps_the_revision() {
    let service = Service::new();
    let id = service.issue(&["a"]).await.record.id;
    service.happened.take();
    for same in [
        TokenUpdate::new(),
        renamed("ci"),
        renamed("  ci  ").description("").scopes(["a", "a"]).expires("never"),
    ] {
        let record = service.hallpass.update(&alice(), id, same.clone(), None).await.unwrap();
        assert_eq!(record.revision, Revision::FIRST, "{same:?}");
    }
    let record = service.hallpass.add_scopes(&alice(), id, ["a"], None).await.unwrap();
    assert_eq!(record.revision, Revision::FIRST);
    assert_eq!(service.store.faults().calls(Operation::Update), 0);
    assert!(service.happened.take().is_empty());
}

#[tokio::test]
async fn update_reports_all_errors_and_changes_nothing() {
    let service = Service::new();
    let before = service.issue(&["a"]).await.record;
    let update = renamed("").description("\u{0}").scopes(["a b"]).expires("31-04-2027");
    let outcome = service.hallpass.update(&alice(), before.id, update, None).await;
    assert_eq!(fields(outcome), ["name", "description", "scopes", "expires"]);
    for soon in ["2027-01-01T00:00:59Z", "2026-12-31", "0d"] {
        let update = renamed("good").expires(soon);
        let outcome = service.hallpass.update(&alice(), before.id, update, None).await;
        assert_eq!(fields(outcome), ["expires"]);
    }
    assert_eq!(service.hallpass.get(&alice(), before.id).await.unwrap(), before);
}

#[tokio::test]
async fn update_at_a_stale_revision_is_an_error() {
    let service = Service::new();
    let id = service.issue(&["a"]).await.record.id;
    let first = Some(Revision::FIRST);
    service.hallpass.update(&alice(), id, renamed("one"), first).await.unwrap();
    let current = Revision::new(2);
    let outcomes = [
        service.hallpass.update(&alice(), id, renamed("two"), first).await,
        service.hallpass.update(&alice(), id, TokenUpdate::new(), first).await,
        service.hallpass.add_scopes(&alice(), id, ["b"], first).await,
        service.hallpass.remove_scopes(&alice(), id, &[scope("a")], first).await,
        service.hallpass.clear_scopes(&alice(), id, first).await,
        service.hallpass.update(&alice(), id, renamed("two"), Some(Revision::new(3))).await,
    ];
    for outcome in outcomes {
        assert!(matches!(error(outcome), Error::Stale { current: c, .. } if c == current));
    }
    assert_eq!(service.hallpass.get(&alice(), id).await.unwrap().name, "one");
}

#[tokio::test]
async fn concurrent_updates_without_a_revision_both_apply() {
    let service = Service::new();
    let id = service.issue(&[]).await.record.id;
    let hallpass = service.hallpass.clone();
    // The description changes after the name's change has read the record.
    service.store.faults().on(Operation::Get).meanwhile(async move {
        let update = TokenUpdate::new().description("meanwhile");
        hallpass.update(&alice(), id, update, None).await.unwrap();
    });
    let after = service.hallpass.update(&alice(), id, renamed("new"), None).await.unwrap();
    assert_eq!((after.name.as_str(), after.description.as_str()), ("new", "meanwhile"));
    assert_eq!(after.revision, Revision::new(3));
}

#[tokio::test]
async fn concurrent_change_makes_the_expected_revision_stale() {
    let service = Service::new();
    let id = service.issue(&[]).await.record.id;
    let hallpass = service.hallpass.clone();
    service.store.faults().on(Operation::Get).meanwhile(async move {
        hallpass.update(&alice(), id, renamed("meanwhile"), None).await.unwrap();
    });
    let outcome =
        service.hallpass.update(&alice(), id, renamed("new"), Some(Revision::FIRST)).await;
    assert!(matches!(error(outcome), Error::Stale { current, .. } if current == Revision::new(2)));
}

#[tokio::test]
async fn ended_token_can_be_edited_except_for_its_expiry() {
    let service = Service::new();
    let revoked = service.issue(&["a"]).await;
    service.hallpass.revoke(&alice(), revoked.record.id).await.unwrap();
    let expired = service.issue(&["a"]).await;
    let update = TokenUpdate::new().expires("12h");
    service.hallpass.update(&alice(), expired.record.id, update, None).await.unwrap();
    service.clock.advance(days(1));
    for token in [revoked, expired] {
        let id = token.record.id;
        for expires in ["30d", "never"] {
            let update = renamed("x").expires(expires);
            let outcome = service.hallpass.update(&alice(), id, update, None).await;
            assert!(matches!(error(outcome), Error::NotActive));
        }
        let update = renamed("kept for the record").description("d").scopes(["a", "b"]);
        let after = service.hallpass.update(&alice(), id, update, None).await.unwrap();
        assert_eq!((after.name.as_str(), after.scopes.len()), ("kept for the record", 2));
        service.hallpass.clear_scopes(&alice(), id, None).await.unwrap();
        assert!(!service.accepts(token.token.reveal()).await);
    }
}

#[tokio::test]
async fn new_expiry_does_not_undo_a_concurrent_revocation() {
    let service = Service::new();
    let token = service.issue(&[]).await;
    let (id, hallpass) = (token.record.id, service.hallpass.clone());
    service.store.faults().on(Operation::Get).meanwhile(async move {
        hallpass.revoke(&alice(), id).await.unwrap();
    });
    let update = TokenUpdate::new().expires("30d");
    let outcome = service.hallpass.update(&alice(), id, update, None).await;
    assert!(matches!(error(outcome), Error::NotActive));
    assert!(!service.accepts(token.token.reveal()).await);
}

#[tokio::test]
async fn new_expiry_applies_at_once() {
    let service = Service::new();
    let token = service.issue(&[]).await;
    let update = TokenUpdate::new().expires("2027-01-01T00:01:00Z");
    service.hallpass.update(&alice(), token.record.id, update, None).await.unwrap();
    assert!(service.accepts(token.token.reveal()).await);
    service.clock.advance(minutes(1));
    assert!(
        !service.accepts(token.token.reveal()).await,
        "the token must be rejected from the exact instant on"
    );
}

#[tokio::test]
async fn changed_scopes_apply_at_once() {
    let service = Service::new();
    let token = service.issue(&["a"]).await;
    let (id, text) = (token.record.id, token.token.reveal());
    let scopes_of_token = async || service.check(text).await.unwrap().scopes().to_string();
    service.hallpass.add_scopes(&alice(), id, ["b:1", "a", "b:1"], None).await.unwrap();
    assert_eq!(scopes_of_token().await, "a b:1");
    service.hallpass.remove_scopes(&alice(), id, &[scope("a")], None).await.unwrap();
    assert_eq!(scopes_of_token().await, "b:1");
    let record = service.hallpass.clear_scopes(&alice(), id, None).await.unwrap();
    assert!(record.scopes.is_empty());
    assert_eq!(scopes_of_token().await, "");
}

#[tokio::test]
async fn removing_a_scope_that_is_not_held_is_not_found() {
    let service = Service::new();
    let id = service.issue(&["projects", "jobs:*"]).await.record.id;
    for not_held in ["project", "projects:read", "jobs:run", "Projects"] {
        let outcome = service.hallpass.remove_scopes(&alice(), id, &[scope(not_held)], None).await;
        assert!(matches!(error(outcome), Error::NotFound), "{not_held}");
    }
    service.hallpass.remove_scopes(&alice(), id, &[scope("jobs:*")], None).await.unwrap();
}

#[tokio::test]
async fn adding_scopes_never_exceeds_100() {
    let service = Service::new();
    let many: Vec<_> = (0..ScopeSet::MAX_LEN).map(|n| format!("jobs:{n}")).collect();
    let id = service.issue(&many.iter().map(String::as_str).collect::<Vec<_>>()).await.record.id;
    let outcome = service.hallpass.add_scopes(&alice(), id, ["one:more"], None).await;
    assert_eq!(fields(outcome), ["scopes"]);
    service.hallpass.add_scopes(&alice(), id, ["jobs:7"], None).await.unwrap();
    assert_eq!(fields(service.hallpass.add_scopes(&alice(), id, ["a b"], None).await), ["scopes"]);
}

#[tokio::test]
async fn only_added_scopes_must_be_grantable() {
    let service = Service::new();
    let id = service.issue(&["projects", "jobs"]).await.record.id;
    let by = alice().with_grantable_scopes(set(&["jobs:run"]));
    let forbidden = |outcome| {
        matches!(
            error::<hallpass_core::TokenRecord>(outcome),
            Error::Forbidden(PermissionError::Scopes(_))
        )
    };
    // Scopes that the token holds may stay, and a narrower scope does not count as added.
    let update = renamed("x").scopes(["projects", "jobs:list"]);
    service.hallpass.update(&by, id, update, None).await.unwrap();
    service.hallpass.add_scopes(&by, id, ["jobs:run"], None).await.unwrap();
    assert!(forbidden(service.hallpass.add_scopes(&by, id, ["jobs"], None).await));
    let update = TokenUpdate::new().scopes(["projects", "admin"]);
    assert!(forbidden(service.hallpass.update(&by, id, update, None).await));
    service.hallpass.clear_scopes(&by, id, None).await.unwrap();
    assert!(forbidden(service.hallpass.add_scopes(&by, id, ["projects"], None).await));
}

#[tokio::test]
async fn scope_removed_from_the_catalog_covers_no_other() {
    let store = test_store();
    let before = Service::over(store.clone(), |b| b);
    // `*` was fine without a catalog; with this one, it is unknown and allows nothing.
    let token = before.issue(&["*"]).await;
    let catalog = Catalog::new().scope(CatalogScope::new("projects:delete", "Delete projects"));
    let after = Service::over(store, |b| b.catalog(catalog));
    assert!(after.check(token.token.reveal()).await.unwrap().scopes().is_empty());
    let by = alice().with_grantable_scopes(set(&["projects:read"]));
    let outcome = after.hallpass.add_scopes(&by, token.record.id, ["projects:delete"], None).await;
    assert!(matches!(error(outcome), Error::Forbidden(PermissionError::Scopes(_))));
    assert!(after.check(token.token.reveal()).await.unwrap().scopes().is_empty());
}

#[tokio::test]
async fn only_the_owner_or_a_system_actor_may_edit() {
    let service = Service::new();
    let id = service.issue(&["a"]).await.record.id;
    for (by, missing) in [(bob(), true), (root(), false)] {
        let outcomes = [
            service.hallpass.update(&by, id, renamed("x"), None).await,
            service.hallpass.update(&by, id, TokenUpdate::new(), None).await,
            service.hallpass.add_scopes(&by, id, ["b"], None).await,
            service.hallpass.remove_scopes(&by, id, &[scope("a")], None).await,
            service.hallpass.clear_scopes(&by, id, None).await,
        ];
        for outcome in outcomes {
            let error = error(outcome);
            assert_eq!(matches!(error, Error::NotFound), missing, "{error:?}");
            assert!(missing || matches!(error, Error::Forbidden(PermissionError::OnlyItsOwner)));
        }
    }
    assert_eq!(service.hallpass.get(&alice(), id).await.unwrap().revision, Revision::FIRST);
    service.happened.take();
    service.hallpass.update(&job(), id, renamed("x"), None).await.unwrap();
    let event = service.happened.only();
    assert_eq!((event.kind, event.actor.unwrap().as_str()), (EventKind::Updated, "nightly-job"));
}

#[tokio::test]
async fn update_of_a_missing_token_is_not_found() {
    let service = Service::new();
    let token = service.issue(&["a"]).await.record.id;
    service.hallpass.delete(&alice(), token, None).await.unwrap();
    for id in [nobodys(), token] {
        let outcome = service.hallpass.update(&alice(), id, renamed("x"), None).await;
        assert!(matches!(error(outcome), Error::NotFound));
    }
}
