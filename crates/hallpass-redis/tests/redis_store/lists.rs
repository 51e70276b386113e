//! Tests of lists: filters, orders and pages.

use hallpass_core::store::{Sort, SortBy, StatusCounts, TokenStore as _};
use hallpass_core::{Scope, Status};

use super::*;

const SORTS: [SortBy; 4] = [SortBy::CreatedAt, SortBy::Name, SortBy::ExpiresAt, SortBy::LastUsedAt];

fn population() -> Vec<StoredToken> {
    let times =
        |number: usize| (!number.is_multiple_of(3)).then(|| at((number % 5 * 25) as i64 - 50));
    (0..90)
        .map(|number| {
            let mut token =
                token(["alice", "bob"][number % 4 / 3], ["b", "B", "Ä", "same"][number % 4]);
            let record = &mut token.record;
            record.description = ["", "Same"][number / 9 % 2].to_owned();
            record.scopes = ScopeSet::parse(&["jobs", "x"][..number / 2 % 3]).unwrap();
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

#[tokio::test(flavor = "multi_thread")]
async fn every_list_contains_the_tokens_that_match_its_query() {
    let store = store().await;
    let population = population();
    for token in &population {
        store.insert(token, None, &event()).await.unwrap();
    }
    let jobs: Scope = "jobs".parse().unwrap();
    let mut number = 0;
    for by in SORTS.into_iter().flat_map(|by| [(by, false), (by, true)]) {
        for status in [None, Some(Status::Active), Some(Status::Expired), Some(Status::Revoked)] {
            for filter in 0..32_u32 {
                number += 1;
                let query = ListQuery {
                    owner: (filter & 1 > 0).then(|| owner("alice")),
                    status,
                    text: (filter & 2 > 0).then(|| "same".to_owned()),
                    scope: (filter & 4 > 0).then(|| jobs.clone()),
                    expires_before: (filter & 8 > 0).then(|| at(25)),
                    never_used: filter & 9 == 9,
                    unused_since: (filter & 18 == 18).then(|| at(30)),
                    previous_secret: filter & 20 == 20,
                    sort: Sort { by: by.0, descending: by.1 },
                    limit: [0, 3, 40, 200][number % 4],
                    ..everything()
                };
                check(&store, &population, query).await;
            }
        }
    }
}

/// Reads all pages of a query and compares them with the result of `ListQuery::matches` and
/// `Sort::compare`.
async fn check(store: &RedisStore, population: &[StoredToken], mut query: ListQuery) {
    let records = || population.iter().map(|token| &token.record);
    let mut counts = StatusCounts::default();
    for record in records().filter(|record| query.matches_apart_from_status(record)) {
        counts.add(record.status(query.now));
    }
    let mut expected: Vec<_> = records().filter(|record| query.matches(record)).cloned().collect();
    let sort = query.sort;
    expected.sort_by(|a, b| sort.compare(&sort.key_of(a), &sort.key_of(b)));
    let mut walked = Vec::new();
    loop {
        let page = store.list(&query).await.unwrap();
        assert_eq!(page.counts, counts, "{query:?}");
        assert_eq!(page.as_of.get(), population.len() as u64);
        assert!(page.records.len() <= query.limit as usize);
        walked.extend(page.records);
        if !page.more || query.limit == 0 {
            assert_eq!(page.more, walked.len() < expected.len());
            break;
        }
        query.after = walked.last().map(|record| sort.key_of(record));
    }
    assert_eq!(walked, expected[..walked.len()], "{query:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_tokens_are_listed_in_several_steps() {
    let store = store().await;
    let tokens: Vec<_> = (0..1_200).map(|number| token("alice", &number.to_string())).collect();
    for tokens in tokens.chunks(100) {
        let event = event();
        let inserts = tokens.iter().map(|token| store.insert(token, None, &event));
        assert!(futures::future::join_all(inserts).await.iter().all(Result::is_ok));
    }
    for owner in [None, Some(owner("alice"))] {
        let page = store.list(&ListQuery { owner, limit: 1_150, ..everything() }).await.unwrap();
        assert_eq!((page.records.len(), page.counts.active, page.more), (1_150, 1_200, true));
    }
}
