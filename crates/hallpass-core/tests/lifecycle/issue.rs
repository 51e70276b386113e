use hallpass_core::store::StoreError;
use hallpass_core::{
    Catalog, CatalogScope, Error, Expiry, Limits, NewToken, Owner, PermissionError, Revision,
    Scope, ScopeSet, Status,
};
use jiff::{SignedDuration, Timestamp};

use crate::common::*;

fn catalog() -> Catalog {
    Catalog::new()
        .scope(CatalogScope::new("projects:list", "List projects"))
        .scope(CatalogScope::new("projects:read", "Read projects").per("id"))
        .scope(CatalogScope::new("admin:users", "Administer people"))
        .preset("read-only", "Look, don't touch", ["projects:list", "projects:read"])
}

async fn try_issue(service: &Service, new: NewToken) -> Result<(), Error> {
    service.hallpass.issue(&alice(), new).await.map(drop)
}

async fn end_of(service: &Service, expires: &str) -> Option<Timestamp> {
    let new = NewToken::named("ci").expires(expires);
    service.hallpass.issue(&alice(), new).await.unwrap().record.expires_at
}

#[tokio::test]
async fn new_token_has_the_requested_fields_and_works() {
    let service = Service::with(|b| b.prefix("acme"));
    let new = NewToken::named("  nightly build\t")
        .description("line one\nline two")
        .scope("projects:read")
        .scopes(["jobs", "projects:read"])
        .expires("30d");
    let issued = service.hallpass.issue(&alice(), new).await.unwrap();
    let record = &issued.record;
    assert_eq!(record.name, "nightly build");
    assert_eq!(record.description, "line one\nline two");
    assert_eq!(record.scopes, set(&["jobs", "projects:read"]));
    assert_eq!(record.owner.as_str(), "alice");
    assert_eq!(record.created_at, at(START));
    assert_eq!(record.expires_at, Some(at("2027-01-31T00:00:00Z")));
    assert_eq!((record.last_used_at, record.revoked_at, record.regenerated_at), (None, None, None));
    assert_eq!(record.revision, Revision::FIRST);
    assert_eq!(record.status(service.hallpass.now()), Status::Active);
    assert!(issued.token.reveal().starts_with("acme_"));
    assert_eq!(service.hallpass.get(&alice(), record.id).await.unwrap(), *record);

    let principal = service.check(issued.token.reveal()).await.unwrap();
    assert_eq!(principal.owner().as_str(), "alice");
    assert_eq!(principal.token_id(), Some(record.id));
    assert_eq!(*principal.scopes(), record.scopes);
}

#[tokio::test]
async fn two_tokens_may_have_the_same_name() {
    let service = Service::new();
    let (one, two) = (service.issue(&[]).await, service.issue(&[]).await);
    assert_ne!(one.record.id, two.record.id);
    assert_ne!(one.token.reveal(), two.token.reveal());
    assert!(service.accepts(one.token.reveal()).await && service.accepts(two.token.reveal()).await);
}

#[tokio::test]
async fn issue_reports_all_errors_and_issues_nothing() {
    let service = Service::with(|b| b.catalog(catalog()));
    let new = NewToken::named(" ")
        .description("a\0b")
        .scope("projects:reed")
        .preset("read-onyl")
        .expires("31-04-2027");
    let outcome = service.hallpass.issue(&alice(), new).await;
    assert_eq!(fields(outcome), ["name", "description", "scopes", "preset", "expires"]);
    assert_eq!(service.store.faults().calls(Operation::Insert), 0);
    assert_eq!(service.store.head().await.get(), 0);
    assert!(service.happened.take().is_empty());
}

#[tokio::test]
async fn name_has_1_to_100_characters_on_one_line() {
    let service = Service::with(|b| b.limits(Limits::default().unlimited_tokens()));
    for good in [
        "x",
        &"ü".repeat(100),
        &"🎫".repeat(100),
        &format!("  {}  ", "x".repeat(100)),
        "<script>",
        "%_",
    ] {
        assert!(try_issue(&service, NewToken::named(good)).await.is_ok(), "{good:?}");
    }
    for bad in [
        "",
        " \t\u{a0} ",
        &"ü".repeat(101),
        "a\nb",
        "a\u{0}",
        "a\u{85}b",
        "\u{1b}[31mred",
        "a\u{202e}b",
        "a\u{2066}b",
        "a\u{200f}b",
        "a\u{2029}b",
    ] {
        let outcome = try_issue(&service, NewToken::named(bad)).await;
        assert_eq!(fields(outcome), ["name"], "{bad:?}");
    }
}

#[tokio::test]
async fn description_has_up_to_1000_characters_and_line_breaks() {
    let service = Service::with(|b| b.limits(Limits::default().unlimited_tokens()));
    for good in ["", "a\r\n\tb", &"ü".repeat(1000)] {
        assert!(try_issue(&service, NewToken::named("x").description(good)).await.is_ok());
    }
    for bad in [&*"ü".repeat(1001), "\u{0}", "\u{7}", "a\u{202e}b"] {
        let outcome = try_issue(&service, NewToken::named("x").description(bad)).await;
        assert_eq!(fields(outcome), ["description"], "{bad:?}");
    }
}

#[tokio::test]
async fn scopes_are_well_formed_deduplicated_and_at_most_100() {
    let service = Service::new();
    let all = |count| (0..count).map(|n| format!("jobs:{n}"));
    for bad in [
        "",
        "a b",
        " a",
        "a::b",
        "a:",
        "re*",
        "**",
        "a\u{200b}",
        "Ｒoot",
        "а",
        "a\"",
        "a:b:c:d:e:f:g:h:i",
        &"x".repeat(129),
        &"x".repeat(1_000_000),
    ] {
        let outcome = try_issue(&service, NewToken::named("x").scope(bad)).await;
        assert_eq!(fields(outcome), ["scopes"], "{:?}", &bad[..bad.len().min(40)]);
    }
    for many in [101, 10_000] {
        let outcome = try_issue(&service, NewToken::named("x").scopes(all(many))).await;
        assert_eq!(fields(outcome), ["scopes"], "{many}");
    }
    let new = NewToken::named("x").scopes(all(100)).scopes(all(100));
    let issued = service.hallpass.issue(&alice(), new).await.unwrap();
    assert_eq!(issued.record.scopes.len(), ScopeSet::MAX_LEN);
}

#[tokio::test]
async fn invalid_scope_is_not_repeated_in_the_error() {
    let service = Service::with(|b| b.catalog(catalog()));
    let token = service.issue(&[]).await.token;
    for pasted in [token.reveal().to_owned(), format!("Bearer {}", token.reveal())] {
        for new in [
            NewToken::named("x").scope(&pasted),
            NewToken::named("x").preset(&pasted),
            NewToken::named("x").expires(pasted.as_str()),
        ] {
            let message = error(service.hallpass.issue(&alice(), new).await).to_string();
            assert!(!message.contains(&token.reveal()[30..60]), "{message}");
        }
    }
}

#[tokio::test]
async fn token_pasted_as_a_scope_is_rejected_without_a_catalog() {
    let service = Service::new();
    let token = service.issue(&[]).await.token;
    let outcome =
        service.hallpass.issue(&alice(), NewToken::named("x").scope(token.reveal())).await;
    let faults = faults(outcome);
    assert_eq!(faults[0].field, "scopes");
    assert!(!faults[0].message.contains(token.reveal()));
}

#[tokio::test]
async fn catalog_limits_the_scopes_of_tokens() {
    let service = Service::with(|b| b.catalog(catalog()));
    for good in [
        "projects",
        "projects:list",
        "projects:read",
        "projects:read:42",
        "projects:read:*",
        "admin",
    ] {
        assert!(try_issue(&service, NewToken::named("x").scope(good)).await.is_ok(), "{good}");
    }
    for bad in [
        "project",
        "Projects",
        "projects:reed",
        "projects:list:42",
        "projects:read:42:7",
        "projects:*",
        "*",
        "*:read",
        "pat:create",
    ] {
        let outcome = try_issue(&service, NewToken::named("x").scope(bad)).await;
        assert_eq!(fields(outcome), ["scopes"], "{bad}");
    }
}

#[tokio::test]
async fn wildcards_depend_on_the_catalog_and_never_cover_admin() {
    let service = Service::with(|b| b.catalog(catalog().wildcards(true)));
    let issued = service.issue(&["*", "*:users"]).await;
    let principal = service.check(issued.token.reveal()).await.unwrap();
    assert!(principal.allows(&scope("projects:read:42")));
    assert!(!principal.allows(&scope("admin:users")));
    assert!(!principal.allows(&scope("pat:create")));
    assert_eq!(fields(try_issue(&service, NewToken::named("x").scope("*:reed")).await), ["scopes"]);
}

#[tokio::test]
async fn preset_is_added_to_other_scopes() {
    let service = Service::with(|b| b.catalog(catalog()));
    let new = NewToken::named("x").preset("read-only").scope("projects:read:7");
    let issued = service.hallpass.issue(&alice(), new).await.unwrap();
    assert_eq!(issued.record.scopes, set(&["projects:list", "projects:read", "projects:read:7"]));
    let without_catalog = Service::new();
    let outcome = try_issue(&without_catalog, NewToken::named("x").preset("read-only")).await;
    assert_eq!(fields(outcome), ["preset"]);
}

#[tokio::test]
async fn token_without_scopes_is_valid_and_allows_nothing() {
    let service = Service::new();
    let issued = service.issue(&[]).await;
    let principal = service.check(issued.token.reveal()).await.unwrap();
    assert!(principal.scopes().is_empty());
    assert!(!principal.allows(&scope("a")));
}

#[tokio::test]
async fn every_form_of_expiry_is_accepted() {
    let service = Service::with(|b| b.limits(Limits::default().unlimited_tokens()));
    for (written, end) in [
        ("12h", "2027-01-01T12:00:00Z"),
        ("30d", "2027-01-31T00:00:00Z"),
        ("2w", "2027-01-15T00:00:00Z"),
        ("1y", "2028-01-01T00:00:00Z"),
        ("2027-03-31", "2027-04-01T00:00:00Z"),
        ("31-03-2027", "2027-04-01T00:00:00Z"),
        ("01-02-2027", "2027-02-02T00:00:00Z"),
        ("2027-01-01", "2027-01-02T00:00:00Z"),
        ("2027-03-31T12:00:00.1239+02:00", "2027-03-31T10:00:00.123Z"),
        ("2027-01-01T00:01:00Z", "2027-01-01T00:01:00Z"),
    ] {
        assert_eq!(end_of(&service, written).await, Some(at(end)), "{written}");
    }
    assert_eq!(end_of(&service, "never").await, None);
}

#[tokio::test]
async fn invalid_or_too_early_expiry_is_an_error() {
    let service = Service::new();
    for bad in [
        "",
        "soon",
        "30",
        "30m",
        "-1d",
        "0d",
        "31-04-2027",
        "29-02-2027",
        "1-1-2028",
        "2026-12-31",
        "2027-01-01T00:00:59.999Z",
        "2027-06-01T12:00:60Z",
        "99999999999d",
        "10000-01-01",
        "٠١-٠١-٢٠٢٨",
        "2028-01-01 ",
    ] {
        let outcome = try_issue(&service, NewToken::named("x").expires(bad)).await;
        assert_eq!(fields(outcome), ["expires"], "{bad:?}");
    }
    for bad in [
        Expiry::In(SignedDuration::MAX),
        Expiry::In(SignedDuration::from_secs(-60)),
        Expiry::In(SignedDuration::from_secs(59)),
        Expiry::At(at(START)),
    ] {
        let outcome = try_issue(&service, NewToken::named("x").expires(bad)).await;
        assert_eq!(fields(outcome), ["expires"], "{bad:?}");
    }
}

#[tokio::test]
async fn expiry_day_ends_in_the_hosts_time_zone() {
    let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
    let service = Service::with(|b| b.time_zone(zone));
    assert_eq!(end_of(&service, "31-03-2027").await, Some(at("2027-03-31T22:00:00Z")));
}

#[tokio::test]
async fn system_actor_needs_a_subject_to_issue() {
    let service = Service::new();
    let outcome = service.hallpass.issue(&job(), NewToken::named("x")).await;
    assert_eq!(fields(outcome), ["owner"]);
    let by = job().on_behalf_of("alice");
    let issued = service.hallpass.issue(&by, NewToken::named("x")).await.unwrap();
    assert_eq!(issued.record.owner, Owner::new("alice").unwrap());
    let issued = service.hallpass.issue(&root(), NewToken::named("x")).await.unwrap();
    assert_eq!(issued.record.owner.as_str(), "root");
}

#[tokio::test]
async fn actor_cannot_grant_more_than_allowed() {
    let service = Service::new();
    let by = alice().with_grantable_scopes(set(&["projects:read", "jobs:*", "*"]));
    for (scopes, beyond) in [
        (&["projects:read:42", "jobs:run"][..], &[][..]),
        (&["pat:create", "projects", "admin:users"], &["admin:users", "pat:create"]),
    ] {
        let new = NewToken::named("x").scopes(scopes.iter().copied());
        match service.hallpass.issue(&by, new).await {
            Ok(_) => assert!(beyond.is_empty()),
            Err(Error::Forbidden(PermissionError::Scopes(found))) => {
                assert_eq!(found.iter().map(Scope::as_str).collect::<Vec<_>>(), beyond);
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    let narrow = alice().with_grantable_scopes(set(&["projects:read", "projects:list"]));
    let outcome = service.hallpass.issue(&narrow, NewToken::named("x").scope("projects")).await;
    assert!(
        matches!(outcome, Err(Error::Forbidden(PermissionError::Scopes(_)))),
        "two partial scopes must not cover the whole one"
    );
}

#[tokio::test]
async fn duplicate_id_is_replaced_and_overwrites_nothing() {
    let service = Service::new();
    service.store.faults().on(Operation::Insert).times(2).fail_with(StoreError::duplicate);
    let token = service.issue(&[]).await.token;
    assert!(service.accepts(token.reveal()).await);
    assert_eq!(service.store.faults().calls(Operation::Insert), 3);
    // Three duplicate ids in a row mean that the source of randomness is broken.
    service.store.faults().on(Operation::Insert).fail_with(StoreError::duplicate);
    let error = error(service.hallpass.issue(&alice(), NewToken::named("x")).await);
    assert!(matches!(error, Error::Store(error) if error.is_duplicate()));
    assert_eq!(service.store.faults().calls(Operation::Insert), 6);
}
