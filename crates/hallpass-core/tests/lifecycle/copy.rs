use hallpass_core::{
    Catalog, CatalogScope, Error, EventKind, Expiry, Limits, NewToken, PermissionError, Revision,
    Status, TokenUpdate,
};

use crate::common::*;

#[tokio::test]
async fn copy_is_a_new_token_with_the_same_fields() {
    let service = Service::new();
    let new = NewToken::named("ci").description("d").scopes(["a", "b"]).expires("30d");
    let original = service.hallpass.issue(&alice(), new).await.unwrap();
    assert!(service.accepts(original.token.reveal()).await);
    service.clock.advance(days(1));
    service.happened.take();
    let copy =
        service.hallpass.copy(&alice(), original.record.id, TokenUpdate::new()).await.unwrap();
    let (old, new) = (&original.record, &copy.record);
    assert_ne!(new.id, old.id);
    assert_eq!(
        (&new.name, &new.description, &new.scopes),
        (&old.name, &old.description, &old.scopes)
    );
    assert_eq!((new.expires_at, &new.owner), (old.expires_at, &old.owner));
    assert_eq!(new.created_at, service.hallpass.now());
    assert_eq!((new.revision, new.last_used_at), (Revision::FIRST, None));
    let event = service.happened.only();
    assert_eq!((event.kind, event.token_id), (EventKind::Copied, Some(new.id)));
    // The two tokens are independent.
    service.hallpass.revoke(&alice(), old.id).await.unwrap();
    assert!(!service.accepts(original.token.reveal()).await);
    assert!(service.accepts(copy.token.reveal()).await);
}

#[tokio::test]
async fn copy_takes_the_given_fields() {
    let service = Service::new();
    let id = service.issue(&["a"]).await.record.id;
    let different =
        TokenUpdate::new().name("two").description("other").scopes(["b"]).expires("12h");
    let copy = service.hallpass.copy(&alice(), id, different).await.unwrap().record;
    assert_eq!((copy.name.as_str(), copy.description.as_str()), ("two", "other"));
    assert_eq!(copy.scopes, set(&["b"]));
    assert_eq!(copy.expires_at, Some(at("2027-01-01T12:00:00Z")));
    let none = TokenUpdate::new().scopes::<String>([]);
    assert!(service.hallpass.copy(&alice(), id, none).await.unwrap().record.scopes.is_empty());
}

#[tokio::test]
async fn copy_reports_all_errors_and_copies_nothing() {
    let service = Service::new();
    let id = service.issue(&["a"]).await.record.id;
    let different =
        TokenUpdate::new().name("").description("\u{0}").scopes(["a b"]).expires("soon");
    let outcome = service.hallpass.copy(&alice(), id, different).await;
    assert_eq!(fields(outcome), ["name", "description", "scopes", "expires"]);
    assert_eq!(service.store.faults().calls(Operation::Insert), 1);
}

#[tokio::test]
async fn copy_of_an_expired_token_gets_the_default_expiry() {
    let limits = Limits::default().default_expiry(Expiry::days(7));
    let service = Service::with(|b| b.limits(limits));
    let new = NewToken::named("x").expires("12h");
    let original = service.hallpass.issue(&alice(), new).await.unwrap();
    let id = original.record.id;
    let copied_end = async |expires: Option<&str>| {
        let different = expires.map_or_else(TokenUpdate::new, |e| TokenUpdate::new().expires(e));
        let copy = service.hallpass.copy(&alice(), id, different).await.unwrap();
        assert!(service.accepts(copy.token.reveal()).await);
        copy.record.expires_at
    };
    service.hallpass.revoke(&alice(), id).await.unwrap();
    assert_eq!(
        copied_end(None).await,
        original.record.expires_at,
        "the original is revoked and has not expired"
    );
    // A copy that would expire within a minute also gets the default.
    service.clock.set(at("2027-01-01T11:59:30Z"));
    assert_eq!(copied_end(None).await, Some(at("2027-01-08T11:59:30Z")));
    service.clock.set(at("2027-01-02T00:00:00Z"));
    assert_eq!(copied_end(None).await, Some(at("2027-01-09T00:00:00Z")));
    assert_eq!(copied_end(Some("never")).await, None);
    let record = service.hallpass.get(&alice(), id).await.unwrap();
    assert_eq!(
        record.status(service.hallpass.now()),
        Status::Revoked,
        "the original must not change"
    );
}

#[tokio::test]
async fn copy_of_a_token_without_expiry_has_none() {
    let limits = Limits::default().default_expiry(Expiry::days(7));
    let service = Service::with(|b| b.limits(limits));
    let new = NewToken::named("x").expires("never");
    let id = service.hallpass.issue(&alice(), new).await.unwrap().record.id;
    let copy = service.hallpass.copy(&alice(), id, TokenUpdate::new()).await.unwrap();
    assert_eq!(copy.record.expires_at, None);
}

#[tokio::test]
async fn token_of_another_owner_is_not_copied() {
    let service = Service::new();
    let id = service.issue(&["a"]).await.record.id;
    let outcome = service.hallpass.copy(&bob(), id, TokenUpdate::new()).await;
    assert!(matches!(error(outcome), Error::NotFound));
    let outcome = service.hallpass.copy(&bob(), nobodys(), TokenUpdate::new()).await;
    assert!(matches!(error(outcome), Error::NotFound));
    let outcome = service.hallpass.copy(&root(), id, TokenUpdate::new()).await;
    assert!(matches!(error(outcome), Error::Forbidden(PermissionError::OnlyItsOwner)));
    // The copy of a system actor belongs to the original's owner.
    let copy =
        service.hallpass.copy(&job().on_behalf_of("bob"), id, TokenUpdate::new()).await.unwrap();
    assert_eq!(copy.record.owner.as_str(), "alice");
}

#[tokio::test]
async fn all_scopes_of_a_copy_must_be_grantable() {
    let service = Service::new();
    let id = service.issue(&["projects", "jobs:run"]).await.record.id;
    let by = alice().with_grantable_scopes(set(&["jobs"]));
    match service.hallpass.copy(&by, id, TokenUpdate::new()).await {
        Err(Error::Forbidden(PermissionError::Scopes(beyond))) => {
            assert_eq!(beyond, [scope("projects")]);
        }
        other => panic!("{other:?}"),
    }
    let fewer = TokenUpdate::new().scopes(["jobs:run"]);
    assert!(service.hallpass.copy(&by, id, fewer).await.is_ok());
}

#[tokio::test]
async fn scope_removed_from_the_catalog_is_not_copied() {
    let store = test_store();
    let id = Service::over(store.clone(), |b| b).issue(&["old", "projects"]).await.record.id;
    let catalog = Catalog::new().scope(CatalogScope::new("projects", "Projects"));
    let service = Service::over(store, |b| b.catalog(catalog));
    let outcome = service.hallpass.copy(&alice(), id, TokenUpdate::new()).await;
    assert_eq!(fields(outcome), ["scopes"]);
    let known = TokenUpdate::new().scopes(["projects"]);
    assert!(service.hallpass.copy(&alice(), id, known).await.is_ok());
}
