//! The filters and counts of lists.

use hallpass_core::store::{Change, ListQuery, PreviousSecret, Secrets, StatusCounts, TokenStore};
use hallpass_core::{Metadata, ScopeSet, Status, TokenRecord, fold};

use serde_json::Value;

use super::check::{everything, read};
use crate::conformance::Replicas;
use crate::conformance::samples::{at, digest, edited, event, owner, secrets, token};

/// Returns the sorted names of the tokens that the query selects.
async fn names(store: &Replicas, query: &ListQuery) -> Vec<String> {
    let page = store.list(query).await.unwrap();
    assert_eq!(page.counts.of(query.status), page.records.len() as u64);
    assert!(!page.more);
    let mut names: Vec<_> = page.records.into_iter().map(|record| record.name).collect();
    names.sort();
    names
}

/// Inserts an edited token of alice's.
pub(crate) async fn insert(store: &Replicas, name: &str, edit: impl FnOnce(&mut TokenRecord)) {
    let mut token = token("alice", name);
    edit(&mut token.record);
    store.insert(&token, None, &event()).await.unwrap();
}

pub async fn list_filters_match_what_they_name(store: Replicas) {
    insert(&store, "plain", |_| {}).await;
    insert(&store, "revoked", |record| record.revoked_at = Some(at(1))).await;
    insert(&store, "scoped", |record| record.scopes = ScopeSet::parse(["jobs"]).unwrap()).await;
    insert(&store, "described", |record| record.description = "nightly build".into()).await;
    insert(&store, "ends at 100", |record| record.expires_at = Some(at(100))).await;
    insert(&store, "used", |record| {
        (record.expires_at, record.last_used_at) = (Some(at(200)), Some(at(1)));
    })
    .await;
    store.insert(&token("bob", "bob's plain"), None, &event()).await.unwrap();

    let all = names(&store, &everything()).await;
    assert_eq!(
        all,
        ["bob's plain", "described", "ends at 100", "plain", "revoked", "scoped", "used"]
    );
    let alice = ListQuery { owner: Some(owner("alice")), ..everything() };
    let all_of_alice = ["described", "ends at 100", "plain", "revoked", "scoped", "used"];
    assert_eq!(names(&store, &alice).await, all_of_alice);
    let nobody = ListQuery { owner: Some(owner("ALICE")), ..everything() };
    assert!(names(&store, &nobody).await.is_empty());
    let revoked = ListQuery { status: Some(Status::Revoked), ..alice.clone() };
    assert_eq!(names(&store, &revoked).await, ["revoked"]);
    let described = ListQuery { text: Some("nightly".into()), ..everything() };
    assert_eq!(names(&store, &described).await, ["described"]);
    let plain = ListQuery { text: Some("plain".into()), ..everything() };
    assert_eq!(names(&store, &plain).await, ["bob's plain", "plain"]);
    let hers = ListQuery { owner: Some(owner("alice")), ..plain };
    assert_eq!(names(&store, &hers).await, ["plain"], "filters are combined with AND");
    let scoped = ListQuery { scope: Some("jobs".parse().unwrap()), ..everything() };
    assert_eq!(names(&store, &scoped).await, ["scoped"]);
    for (time, expected) in
        [(100, &[][..]), (101, &["ends at 100"]), (201, &["ends at 100", "used"])]
    {
        let ending = ListQuery { expires_before: Some(at(time)), ..everything() };
        assert_eq!(names(&store, &ending).await, expected, "before {time}");
        let unused = ListQuery { never_used: true, ..ending };
        assert_eq!(names(&store, &unused).await, &expected[..expected.len().min(1)]);
    }
    let unused = ListQuery { never_used: true, ..alice };
    assert_eq!(names(&store, &unused).await, all_of_alice[..5]);
}

pub async fn unused_filter_uses_the_last_use_or_the_issue(store: Replicas) {
    for (name, created, used) in
        [("old", 10, None), ("new", 90, None), ("idle", 10, Some(40)), ("busy", 10, Some(95))]
    {
        insert(&store, name, |record| {
            (record.created_at, record.last_used_at) = (at(created), used.map(at));
        })
        .await;
    }
    for (time, expected) in [
        (10, &[][..]),
        (11, &["old"]),
        (40, &["old"]),
        (41, &["idle", "old"]),
        (91, &["idle", "new", "old"]),
        (96, &["busy", "idle", "new", "old"]),
    ] {
        let unused = ListQuery { unused_since: Some(at(time)), ..everything() };
        assert_eq!(names(&store, &unused).await, expected, "since {time}");
    }
    let never = ListQuery { unused_since: Some(at(91)), never_used: true, ..everything() };
    assert_eq!(names(&store, &never).await, ["new", "old"], "filters are combined with AND");
}

pub async fn previous_secret_filter_selects_accepted_ones(store: Replicas) {
    for (name, until, ended) in [
        ("none", None, false),
        ("until 100", Some(100), false),
        ("until 200", Some(200), false),
        ("revoked", Some(200), true),
    ] {
        let mut token = token("alice", name);
        token.record.revoked_at = ended.then(|| at(1));
        let previous = until.map(|until| PreviousSecret { digest: digest(1), until: at(until) });
        token.secrets = Secrets { current: digest(2), previous };
        store.insert(&token, None, &event()).await.unwrap();
    }
    let mut expired = token("alice", "expired");
    expired.record.expires_at = Some(at(99));
    let previous = PreviousSecret { digest: digest(1), until: at(200) };
    expired.secrets = Secrets { current: digest(2), previous: Some(previous) };
    store.insert(&expired, None, &event()).await.unwrap();
    for (time, expected) in [
        (98, &["expired", "until 100", "until 200"][..]),
        (99, &["until 100", "until 200"]),
        (100, &["until 200"]),
        (200, &[]),
    ] {
        let query = ListQuery { previous_secret: true, now: at(time), ..everything() };
        assert_eq!(names(&store, &query).await, expected, "at {time}");
        let active = ListQuery { status: Some(Status::Active), ..query.clone() };
        assert_eq!(names(&store, &active).await, expected, "at {time}");
        let revoked = ListQuery { status: Some(Status::Revoked), ..query };
        assert_eq!(names(&store, &revoked).await, [""; 0], "at {time}");
    }
}

pub async fn text_filter_is_literal_and_ignores_case(store: Replicas) {
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
        let names_found =
            names(&store, &ListQuery { text: Some(fold(typed)), ..everything() }).await;
        names_found.into_iter().filter(|name| !name.ends_with("described")).collect::<Vec<_>>()
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
    // The search includes the description and its line breaks.
    let described = ListQuery { text: Some(fold("FRONT\n100%")), ..everything() };
    assert_eq!(store.list(&described).await.unwrap().counts.of(None), 1);
}

pub async fn scope_filter_matches_exactly(store: Replicas) {
    let scopes_by_name = [
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
    for (name, scopes) in scopes_by_name {
        insert(&store, name, |record| record.scopes = ScopeSet::parse(scopes).unwrap()).await;
    }
    let names_with = async |scope: &str| {
        names(&store, &ListQuery { scope: Some(scope.parse().unwrap()), ..everything() }).await
    };
    assert_eq!(names_with("projects:read").await, ["exact", "first", "last", "middle"]);
    assert_eq!(names_with("projects").await, ["covers"]);
    assert_eq!(names_with("projects:*").await, ["wild"]);
    assert_eq!(names_with("*").await, ["wild"]);
    assert_eq!(names_with("read").await, [""; 0]);
}

pub async fn metadata_filter_matches_exactly(store: Replicas) {
    let members: [(&str, &[(&str, Value)]); 9] = [
        ("exact", &[("ticket", "OPS-1".into())]),
        ("more", &[("a", 1.into()), ("ticket", "OPS-1".into()), ("z", true.into())]),
        ("longer", &[("ticket", "OPS-12".into())]),
        ("case", &[("ticket", "ops-1".into())]),
        ("other name", &[("tickets", "OPS-1".into())]),
        ("number", &[("ticket", 1.into())]),
        ("fraction", &[("ticket", 1.0.into())]),
        ("in a value", &[("note", "{\"ticket\":1,\"ticket\":\"OPS-1\"}\n\0,".into())]),
        ("none", &[]),
    ];
    for (name, members) in members {
        let metadata = Metadata::new(members.iter().cloned()).unwrap();
        insert(&store, name, |record| record.metadata = metadata).await;
    }
    let names_with = async |members: &[(&str, Value)]| {
        let members = members.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        names(&store, &ListQuery { metadata: members.collect(), ..everything() }).await
    };
    assert_eq!(names_with(&[("ticket", "OPS-1".into())]).await, ["exact", "more"]);
    assert_eq!(names_with(&[("ticket", "OPS-1".into()), ("z", true.into())]).await, ["more"]);
    assert_eq!(names_with(&[("ticket", 1.into())]).await, ["number"]);
    assert_eq!(names_with(&[("ticket", 1.0.into())]).await, ["fraction"]);
    assert_eq!(names_with(&[("ticket", "OPS-%".into())]).await, [""; 0]);
    assert_eq!(names_with(&[("ticket", "\0".into())]).await, [""; 0]);
    assert_eq!(names_with(&[("", Value::Null)]).await, [""; 0]);
    assert_eq!(names_with(&[]).await.len(), members.len());
}

pub async fn status_filter_uses_the_time_of_the_query(store: Replicas) {
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

pub async fn metadata_comes_back(store: Replicas) {
    let small = Metadata::new([("team", "build")]).unwrap();
    let unusual = Metadata::new([
        ("quote\"'", serde_json::json!("ü \u{1F600} \\ \"x\" \n")),
        ("big", serde_json::json!(u64::MAX)),
        ("fraction", serde_json::json!(-1.5)),
        ("flag", serde_json::json!(true)),
        ("text", serde_json::json!("x".repeat(3_900))),
    ]);
    // If a parser rounds this number to a neighbour, it is written with one more digit. Metadata of
    // the maximum size is then too large when it is read again.
    let numbers = (0..127).map(|at| (format!("{at:03}"), Value::from(-2.693_554_001_703_998e265)));
    let precise = Metadata::new(numbers.chain([("text".to_owned(), "x".repeat(270).into())]));
    let mut token = token("alice", "ci");
    store.insert(&token, None, &event()).await.unwrap();
    let all = [small.clone(), unusual.unwrap(), precise.unwrap(), small, Metadata::default()];
    for metadata in all {
        let change = edited(&token.record, |record| record.metadata = metadata);
        store.update(&change, &event()).await.unwrap();
        token.record = change.record;
        assert_eq!(read(&store, token.record.id).await.record, token.record);
        assert_eq!(store.list(&everything()).await.unwrap().records, [token.record.clone()]);
        let mut copy = token.clone();
        copy.record.id = crate::conformance::samples::token("bob", "x").record.id;
        store.insert(&copy, None, &event()).await.unwrap();
        assert_eq!(read(&store, copy.record.id).await.record, copy.record);
        store.delete(copy.record.id, None, &event()).await.unwrap();
    }
}

pub async fn previous_secret_expiry_is_filled_in(store: Replicas) {
    let with_previous = |millis| Secrets {
        current: digest(2),
        previous: Some(PreviousSecret { digest: digest(1), until: at(millis) }),
    };
    let mut token = token("alice", "ci");
    let id = token.record.id;
    let shows = async |expected: Option<i64>| {
        let expected = expected.map(at);
        let read_value = read(&store, id).await.record.previous_secret_expires_at;
        let listed = store.list(&everything()).await.unwrap().records;
        assert_eq!((read_value, listed[0].previous_secret_expires_at), (expected, expected));
    };
    token.secrets = with_previous(10);
    // The store ignores the caller's value of the field.
    token.record.previous_secret_expires_at = Some(at(9_999));
    store.insert(&token, None, &event()).await.unwrap();
    shows(Some(10)).await;
    let mut record = token.record;
    let steps = [(None, Some(10)), (Some(with_previous(20)), Some(20)), (Some(secrets(2)), None)];
    for (secrets, expected) in steps {
        for claimed in [None, Some(at(9_999))] {
            let mut change = edited(&record, |record| record.previous_secret_expires_at = claimed);
            change = Change { secrets: secrets.clone(), ..change };
            store.update(&change, &event()).await.unwrap();
            record = change.record;
            shows(expected).await;
        }
    }
    store.replace_digest(id, &digest(2), &with_previous(30), &event()).await.unwrap();
    shows(Some(30)).await;
    store.replace_digest(id, &digest(2), &secrets(2), &event()).await.unwrap();
    shows(None).await;
}

pub async fn counts_ignore_only_the_status_filter(store: Replicas) {
    for (name, ends, revoked) in
        [("a", None, false), ("b", Some(100), false), ("b", Some(99), false), ("b", None, true)]
    {
        insert(&store, name, |record| {
            record.expires_at = ends.map(at);
            record.revoked_at = revoked.then(|| at(1));
        })
        .await;
    }
    store.insert(&token("bob", "b"), None, &event()).await.unwrap();
    let hers = ListQuery { owner: Some(owner("alice")), now: at(99), limit: 1, ..everything() };
    for status in [None, Some(Status::Active), Some(Status::Expired), Some(Status::Revoked)] {
        let counts = store.list(&ListQuery { status, ..hers.clone() }).await.unwrap().counts;
        assert_eq!(counts, StatusCounts { active: 2, expired: 1, revoked: 1 });
        let named = ListQuery { status, text: Some("b".into()), ..hers.clone() };
        let counts = store.list(&named).await.unwrap().counts;
        assert_eq!(counts, StatusCounts { active: 1, expired: 1, revoked: 1 });
    }
}
