//! Pages of lists are compared with a definition in plain Rust, for every sort order.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hallpass_core::store::{
    ListQuery, PreviousSecret, Sort, SortBy, StatusCounts, StoredToken, TokenStore,
};
use hallpass_core::{ScopeSet, Status, TokenId, TokenRecord};
use tokio::task::yield_now;

use super::check::everything;
use super::list::insert;
use crate::conformance::Replicas;
use crate::conformance::samples::{at, digest, event, owner, token};

const SORTS: [SortBy; 4] = [SortBy::CreatedAt, SortBy::Name, SortBy::ExpiresAt, SortBy::LastUsedAt];

/// Returns tokens with many combinations of values, and many ties.
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
            let previous = times(number / 7).filter(|_| number % 3 == 0);
            record.previous_secret_expires_at = previous;
            token.secrets.previous =
                previous.map(|until| PreviousSecret { digest: digest(2), until });
            token
        })
        .collect()
}

async fn populated(store: &Replicas) -> Vec<TokenRecord> {
    let population = population();
    for token in &population {
        store.insert(token, None, &event()).await.unwrap();
    }
    population.into_iter().map(|token| token.record).collect()
}

fn orders() -> impl Iterator<Item = Sort> {
    SORTS.into_iter().flat_map(|by| [false, true].map(|descending| Sort { by, descending }))
}

/// Returns the records that the query matches by definition, ignoring its position and limit.
pub(crate) fn by_definition<'r>(
    records: impl IntoIterator<Item = &'r TokenRecord>,
    query: &ListQuery,
) -> Vec<TokenRecord> {
    let mut matching: Vec<_> =
        records.into_iter().filter(|record| query.matches(record)).cloned().collect();
    matching.sort_by(|a, b| query.sort.compare(&query.sort.key_of(a), &query.sort.key_of(b)));
    matching
}

/// Counts the records that the query matches by definition, ignoring its status.
pub(crate) fn counts_by_definition<'r>(
    records: impl IntoIterator<Item = &'r TokenRecord>,
    query: &ListQuery,
) -> StatusCounts {
    let mut counts = StatusCounts::default();
    for record in records.into_iter().filter(|record| query.matches_apart_from_status(record)) {
        counts.add(record.status(query.now));
    }
    counts
}

pub async fn every_query_agrees_with_the_definition(store: Replicas) {
    let records = populated(&store).await;
    let statuses = [None, Some(Status::Active), Some(Status::Expired), Some(Status::Revoked)];
    let mut matches = 0;
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
                            expires_before: (number % 3 == 2).then(|| at(60)),
                            never_used: number % 4 == 3,
                            unused_since: (number % 5 == 1).then(|| at(60)),
                            previous_secret: number == 4,
                            ..everything()
                        };
                        let expected = by_definition(&records, &query);
                        let page = store.list(&query).await.unwrap();
                        let limit = query.limit as usize;
                        let first = &expected[..expected.len().min(limit)];
                        assert_eq!(page.records, first, "{query:?}");
                        assert_eq!(
                            page.counts,
                            counts_by_definition(&records, &query),
                            "{query:?}"
                        );
                        assert_eq!(page.more, expected.len() > limit, "{query:?}");
                        matches += expected.len();
                    }
                }
            }
        }
    }
    assert!(matches > 1_000, "the queries match too few tokens: {matches}");
}

/// Reads the whole list, page by page.
async fn walk(store: &Replicas, query: &ListQuery) -> Vec<TokenRecord> {
    let mut query = query.clone();
    let mut records: Vec<TokenRecord> = Vec::new();
    loop {
        let page = store.list(&query).await.unwrap();
        assert!(page.records.len() <= query.limit as usize);
        records.extend(page.records);
        assert!(records.len() < 10_000, "{:?}: the pages do not end", query.sort);
        if !page.more {
            return records;
        }
        query.after = records.last().map(|record| query.sort.key_of(record));
    }
}

pub async fn pages_join_to_the_whole_list_in_every_order(store: Replicas) {
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
        // Each page has the counts of all pages together.
        let first = store.list(&filtered).await.unwrap();
        let after = first.records.last().map(|record| sort.key_of(record));
        let second = store.list(&ListQuery { after, ..filtered }).await.unwrap();
        assert_eq!(first.counts, second.counts);
    }
}

pub async fn records_without_a_time_come_last_in_both_directions(store: Replicas) {
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

pub async fn pages_lose_and_repeat_nothing_during_writes(store: Replicas) {
    let lasting: HashSet<TokenId> =
        populated(&store).await.into_iter().map(|record| record.id).collect();
    let done = Arc::new(AtomicBool::new(false));
    // Tokens are inserted and deleted at every position of every order.
    let writer = tokio::spawn({
        let (store, done) = (store.clone(), done.clone());
        async move {
            let mut written = 0_u32;
            while !done.load(Ordering::Relaxed) {
                for token in population().into_iter().skip(written as usize % 80).take(10) {
                    store.insert(&token, None, &event()).await.unwrap();
                    store.delete(token.record.id, None, &event()).await.unwrap();
                    written += 1;
                }
                yield_now().await;
            }
            written
        }
    });
    for sort in orders() {
        for _ in 0..5 {
            let query = ListQuery { sort, limit: 4, ..everything() };
            let walked: Vec<_> =
                walk(&store, &query).await.into_iter().map(|record| record.id).collect();
            let distinct: HashSet<_> = walked.iter().copied().collect();
            assert_eq!(distinct.len(), walked.len(), "{sort:?}: a record was listed twice");
            assert!(lasting.is_subset(&distinct), "{sort:?}: a record was lost");
        }
    }
    done.store(true, Ordering::Relaxed);
    assert!(writer.await.unwrap() > 0);
}
