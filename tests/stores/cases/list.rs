use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hallpass_core::store::{ListQuery, Sort, SortBy, StoredToken, TokenStore};
use hallpass_core::{ScopeSet, Status, TokenId, TokenRecord, fold};
use hallpass_tests::tokens::{at, owner, token};

const SORTS: [SortBy; 4] = [SortBy::CreatedAt, SortBy::Name, SortBy::ExpiresAt, SortBy::LastUsedAt];

/// Everything, the newest first, on one page.
fn everything() -> ListQuery {
    ListQuery::everything(at(50), 1_000)
}

/// The names of what the query finds, sorted.
async fn names(store: &impl TokenStore, query: &ListQuery) -> Vec<String> {
    let page = store.list(query).await.unwrap();
    assert_eq!(page.total, page.records.len() as u64);
    assert!(!page.more);
    let mut names: Vec<_> = page.records.into_iter().map(|record| record.name).collect();
    names.sort();
    names
}

async fn insert(store: &impl TokenStore, name: &str, edit: impl FnOnce(&mut TokenRecord)) {
    let mut token = token("alice", name);
    edit(&mut token.record);
    store.insert(&token, None).await.unwrap();
}

pub(crate) async fn each_filter_finds_what_it_says(store: impl TokenStore) {
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

pub(crate) async fn text_is_plain_and_found_in_any_case(store: impl TokenStore) {
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

pub(crate) async fn a_scope_is_found_exactly(store: impl TokenStore) {
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

pub(crate) async fn a_status_is_of_the_time_asked_for(store: impl TokenStore) {
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

/// Tokens with everything in many combinations, and many ties.
fn population() -> Vec<StoredToken> {
    let names = ["b", "B", "a", "Ä", "ä", "z%", "same", "same", "Same"];
    let times = |number: usize| (!number.is_multiple_of(3)).then(|| at((number % 5 * 25) as i64));
    let scopes = [&[][..], &["jobs"], &["jobs", "projects:read"], &["projects"]];
    (0..90)
        .map(|number| {
            let mut token = token(if number % 4 == 0 { "bob" } else { "alice" }, names[number % 9]);
            let record = &mut token.record;
            record.description = ["", "Same", "100%"][number / 9 % 3].to_owned();
            record.scopes = ScopeSet::parse(scopes[number / 2 % 4]).unwrap();
            record.created_at = at((number % 7) as i64);
            record.expires_at = times(number / 2);
            record.last_used_at = times(number / 3 + 1);
            record.revoked_at = times(number / 5).filter(|_| number % 2 == 0);
            token
        })
        .collect()
}

async fn populated(store: &impl TokenStore) -> Vec<TokenRecord> {
    let population = population();
    for token in &population {
        store.insert(token, None).await.unwrap();
    }
    population.into_iter().map(|token| token.record).collect()
}

fn orders() -> impl Iterator<Item = Sort> {
    SORTS.into_iter().flat_map(|by| [false, true].map(|descending| Sort { by, descending }))
}

/// What the definition says that the query finds, without its place and limit.
fn by_definition(records: &[TokenRecord], query: &ListQuery) -> Vec<TokenRecord> {
    let mut found: Vec<_> =
        records.iter().filter(|record| query.matches(record)).cloned().collect();
    found.sort_by(|a, b| query.sort.compare(&query.sort.key_of(a), &query.sort.key_of(b)));
    found
}

pub(crate) async fn every_query_agrees_with_the_definition(store: impl TokenStore) {
    let records = populated(&store).await;
    let statuses = [None, Some(Status::Active), Some(Status::Expired), Some(Status::Revoked)];
    let mut found = 0;
    for owner in [None, Some(owner("alice")), Some(owner("nobody"))] {
        for status in statuses {
            for text in [None, Some("same"), Some("%"), Some("ä")] {
                for scope in [None, Some("jobs"), Some("projects:read")] {
                    for (number, sort) in orders().enumerate() {
                        let query = ListQuery {
                            owner: owner.clone(),
                            status,
                            text: text.map(str::to_owned),
                            scope: scope.map(|scope| scope.parse().unwrap()),
                            sort,
                            limit: 1 + number as u32 * 5,
                            ..everything()
                        };
                        let expected = by_definition(&records, &query);
                        let page = store.list(&query).await.unwrap();
                        let limit = query.limit as usize;
                        let first = &expected[..expected.len().min(limit)];
                        assert_eq!(page.records, first, "{query:?}");
                        assert_eq!(page.total, expected.len() as u64, "{query:?}");
                        assert_eq!(page.more, expected.len() > limit, "{query:?}");
                        found += expected.len();
                    }
                }
            }
        }
    }
    assert!(found > 1_000, "the population is such that queries find something: {found}");
}

/// The whole list, page by page.
async fn walk(store: &impl TokenStore, query: &ListQuery) -> Vec<TokenRecord> {
    let mut query = query.clone();
    let mut found: Vec<TokenRecord> = Vec::new();
    loop {
        let page = store.list(&query).await.unwrap();
        assert!(page.records.len() <= query.limit as usize);
        found.extend(page.records);
        assert!(found.len() < 10_000, "{:?}: the pages have no end", query.sort);
        if !page.more {
            return found;
        }
        query.after = found.last().map(|record| query.sort.key_of(record));
    }
}

pub(crate) async fn pages_join_to_the_whole_list_in_every_order(store: impl TokenStore) {
    let records = populated(&store).await;
    for sort in orders() {
        for limit in [1, 7, 89, 90, 91] {
            let query = ListQuery { sort, limit, ..everything() };
            let expected = by_definition(&records, &query);
            assert_eq!(walk(&store, &query).await, expected, "{sort:?} by {limit}");
        }
        let filtered = ListQuery {
            sort,
            limit: 3,
            owner: Some(owner("alice")),
            text: Some("same".into()),
            ..everything()
        };
        assert_eq!(walk(&store, &filtered).await, by_definition(&records, &filtered), "{sort:?}");
        // The total is that of all pages, on each of them.
        let first = store.list(&filtered).await.unwrap();
        let after = first.records.last().map(|record| sort.key_of(record));
        let second = store.list(&ListQuery { after, ..filtered }).await.unwrap();
        assert_eq!(first.total, second.total);
    }
}

pub(crate) async fn what_has_no_time_comes_last_in_both_directions(store: impl TokenStore) {
    for (name, time) in [("none", None), ("early", Some(at(1))), ("late", Some(at(2)))] {
        insert(&store, name, |record| {
            (record.expires_at, record.last_used_at) = (time, time);
        })
        .await;
    }
    for by in [SortBy::ExpiresAt, SortBy::LastUsedAt] {
        for (descending, expected) in
            [(false, ["early", "late", "none"]), (true, ["late", "early", "none"])]
        {
            let query = ListQuery { sort: Sort { by, descending }, limit: 1, ..everything() };
            let names: Vec<_> =
                walk(&store, &query).await.into_iter().map(|record| record.name).collect();
            assert_eq!(names, expected, "{by:?}, descending: {descending}");
        }
    }
}

pub(crate) async fn pages_lose_and_repeat_nothing_while_others_write(store: impl TokenStore) {
    let lasting: HashSet<TokenId> =
        populated(&store).await.into_iter().map(|record| record.id).collect();
    let store = Arc::new(store);
    let done = Arc::new(AtomicBool::new(false));
    // Tokens come and go at every place of every order.
    let writer = tokio::spawn({
        let (store, done) = (store.clone(), done.clone());
        async move {
            let mut written = 0_u32;
            while !done.load(Ordering::Relaxed) {
                for token in population().into_iter().skip(written as usize % 80).take(10) {
                    store.insert(&token, None).await.unwrap();
                    store.delete(token.record.id, None).await.unwrap();
                    written += 1;
                }
            }
            written
        }
    });
    for sort in orders() {
        for _ in 0..5 {
            let query = ListQuery { sort, limit: 4, ..everything() };
            let walked: Vec<_> =
                walk(&*store, &query).await.into_iter().map(|record| record.id).collect();
            let seen: HashSet<_> = walked.iter().copied().collect();
            assert_eq!(seen.len(), walked.len(), "{sort:?}: a record came twice");
            assert!(lasting.is_subset(&seen), "{sort:?}: a record was lost");
        }
    }
    done.store(true, Ordering::Relaxed);
    assert!(writer.await.unwrap() > 0);
}
