use hallpass_core::store::{ListQuery, TokenStore};
use hallpass_core::{ScopeSet, Status, TokenRecord, fold};

use super::check::everything;
use crate::conformance::Nodes;
use crate::conformance::samples::{at, owner, token};

/// The names of what the query finds, sorted.
async fn names(store: &Nodes, query: &ListQuery) -> Vec<String> {
    let page = store.list(query).await.unwrap();
    assert_eq!(page.total, page.records.len() as u64);
    assert!(!page.more);
    let mut names: Vec<_> = page.records.into_iter().map(|record| record.name).collect();
    names.sort();
    names
}

/// Inserts one of alice's, edited.
pub(crate) async fn insert(store: &Nodes, name: &str, edit: impl FnOnce(&mut TokenRecord)) {
    let mut token = token("alice", name);
    edit(&mut token.record);
    store.insert(&token, None).await.unwrap();
}

pub async fn each_filter_finds_what_it_says(store: Nodes) {
    insert(&store, "plain", |_| {}).await;
    insert(&store, "revoked", |record| record.revoked_at = Some(at(1))).await;
    insert(&store, "scoped", |record| record.scopes = ScopeSet::parse(["jobs"]).unwrap()).await;
    insert(&store, "described", |record| record.description = "nightly build".into()).await;
    store.insert(&token("bob", "bob's plain"), None).await.unwrap();

    let all = names(&store, &everything()).await;
    assert_eq!(all, ["bob's plain", "described", "plain", "revoked", "scoped"]);
    let alice = ListQuery { owner: Some(owner("alice")), ..everything() };
    assert_eq!(names(&store, &alice).await, ["described", "plain", "revoked", "scoped"]);
    let nobody = ListQuery { owner: Some(owner("ALICE")), ..everything() };
    assert!(names(&store, &nobody).await.is_empty());
    let revoked = ListQuery { status: Some(Status::Revoked), ..alice.clone() };
    assert_eq!(names(&store, &revoked).await, ["revoked"]);
    let described = ListQuery { text: Some("nightly".into()), ..everything() };
    assert_eq!(names(&store, &described).await, ["described"]);
    let plain = ListQuery { text: Some("plain".into()), ..everything() };
    assert_eq!(names(&store, &plain).await, ["bob's plain", "plain"]);
    let hers = ListQuery { owner: Some(owner("alice")), ..plain };
    assert_eq!(names(&store, &hers).await, ["plain"], "filters are joined by and");
    let scoped = ListQuery { scope: Some("jobs".parse().unwrap()), ..everything() };
    assert_eq!(names(&store, &scoped).await, ["scoped"]);
}

pub async fn text_is_plain_and_found_in_any_case(store: Nodes) {
    let texts = [
        "100% sure",
        "under_score",
        r"back\slash",
        "ÄPFEL Straße",
        "İstanbul ΣΊΣΥΦΟΣ",
        "'; --",
        "*?[",
    ];
    for text in texts {
        insert(&store, text, |_| {}).await;
        insert(&store, &format!("{} described", fold(text).len()), |record| {
            record.description = format!("in front\n{text}\nbehind");
        })
        .await;
    }
    let finds = async |typed: &str| {
        let found = names(&store, &ListQuery { text: Some(fold(typed)), ..everything() }).await;
        found.into_iter().filter(|name| !name.ends_with("described")).collect::<Vec<_>>()
    };
    assert_eq!(finds("%").await, ["100% sure"]);
    assert_eq!(finds("_").await, ["under_score"]);
    assert_eq!(finds("\\").await, [r"back\slash"]);
    assert_eq!(finds("0% SU").await, ["100% sure"]);
    assert_eq!(finds("äpfel str").await, ["ÄPFEL Straße"]);
    assert_eq!(finds("STRAßE").await, ["ÄPFEL Straße"]);
    assert_eq!(finds("İSTANBUL σίσυ").await, ["İstanbul ΣΊΣΥΦΟΣ"]);
    assert_eq!(finds("'; --").await, ["'; --"]);
    assert_eq!(finds("*?[").await, ["*?["]);
    assert_eq!(finds("%sure").await, [""; 0]);
    assert_eq!(finds("under.score").await, [""; 0]);
    assert_eq!(finds("\0").await, [""; 0]);
    // The description is looked through as well, line breaks and all.
    let described = ListQuery { text: Some(fold("FRONT\n100%")), ..everything() };
    assert_eq!(store.list(&described).await.unwrap().total, 1);
}

pub async fn a_scope_is_found_exactly(store: Nodes) {
    let held = [
        ("exact", &["projects:read"][..]),
        ("first", &["a", "projects:read"]),
        ("last", &["projects:read", "z"]),
        ("middle", &["a", "projects:read", "z"]),
        ("covers", &["projects"]),
        ("covered", &["projects:read:42"]),
        ("longer", &["projects:reads", "xprojects:read"]),
        ("wild", &["projects:*", "*"]),
        ("case", &["projects:READ"]),
        ("none", &[]),
    ];
    for (name, scopes) in held {
        insert(&store, name, |record| record.scopes = ScopeSet::parse(scopes).unwrap()).await;
    }
    let found = async |scope: &str| {
        names(&store, &ListQuery { scope: Some(scope.parse().unwrap()), ..everything() }).await
    };
    assert_eq!(found("projects:read").await, ["exact", "first", "last", "middle"]);
    assert_eq!(found("projects").await, ["covers"]);
    assert_eq!(found("projects:*").await, ["wild"]);
    assert_eq!(found("*").await, ["wild"]);
    assert_eq!(found("read").await, [""; 0]);
}

pub async fn a_status_is_of_the_time_asked_for(store: Nodes) {
    insert(&store, "endless", |_| {}).await;
    insert(&store, "ends at 100", |record| record.expires_at = Some(at(100))).await;
    insert(&store, "revoked", |record| {
        (record.expires_at, record.revoked_at) = (Some(at(100)), Some(at(500)));
    })
    .await;
    for (now, active, expired) in [
        (99, &["endless", "ends at 100"][..], &[][..]),
        (100, &["endless"], &["ends at 100"]),
        (101, &["endless"], &["ends at 100"]),
    ] {
        let of = async |status| {
            names(&store, &ListQuery { status: Some(status), now: at(now), ..everything() }).await
        };
        assert_eq!(of(Status::Active).await, active, "at {now}");
        assert_eq!(of(Status::Expired).await, expired, "at {now}");
        assert_eq!(of(Status::Revoked).await, ["revoked"], "at {now}");
    }
}
