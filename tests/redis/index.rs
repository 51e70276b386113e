//! The index of all tokens: chunks that divide and merge, and what they say of the earliest end.

use std::collections::BTreeMap;

use hallpass_core::TokenRecord;
use hallpass_core::store::TokenStore as _;
use hallpass_tests::tokens::{at, edited, event, owner, token};

use super::*;

/// What an end is counted from in scripts.
const BIAS: i64 = 1 << 49;

/// Looks at the chunks as they are kept: each is as it should be.
async fn look(server: &Redis, records: &BTreeMap<TokenId, TokenRecord>) -> usize {
    let mut stranger = stranger(server).await;
    let chunks = redis::cmd("ZRANGE").arg("{hallpass}d").arg(0).arg(-1).to_owned();
    let chunks: Vec<Vec<u8>> = chunks.query_async(&mut stranger).await.unwrap();
    let mut last_of_all = Vec::new();
    let mut found = 0;
    for low in &chunks {
        let name = [b"{hallpass}i".as_slice(), low].concat();
        let ask = redis::cmd("ZRANGE").arg(&name).arg(0).arg(-1).to_owned();
        let places: Vec<Vec<u8>> = ask.query_async(&mut stranger).await.unwrap();
        assert!((1..=128).contains(&places.len()), "{} in a chunk", places.len());
        assert!(places.is_sorted() && last_of_all < places[0] && *low <= places[0]);
        last_of_all.clone_from(places.last().unwrap());
        found += places.len();
        let encoding = redis::cmd("OBJECT").arg("ENCODING").arg(&name).to_owned();
        let encoding: String = encoding.query_async(&mut stranger).await.unwrap();
        assert_eq!(encoding, "listpack", "it takes little room");
        let noted = redis::cmd("ZSCORE").arg("{hallpass}e").arg(low).to_owned();
        let noted: Option<f64> = noted.query_async(&mut stranger).await.unwrap();
        let ids = places.iter().map(|place| match place.len() {
            18 => [&place[1..7], &place[8..]].concat(),
            _ => place[8..].to_vec(),
        });
        let ends = ids.filter_map(|id| {
            let uuid: [u8; 16] = id.try_into().unwrap();
            let record = records.values().find(|record| *record.id.as_uuid().as_bytes() == uuid);
            let record = record.expect("a token that is there");
            record.expires_at.into_iter().chain(record.revoked_at).min()
        });
        if let Some(first) = ends.min() {
            let noted = noted.expect("that one of them ends is noted");
            assert!(
                noted <= (first.as_millisecond() + BIAS) as f64,
                "none ends before what is noted"
            );
        }
    }
    assert_eq!(found, records.len());
    let noted = redis::cmd("ZCARD").arg("{hallpass}e").to_owned();
    let noted: usize = noted.query_async(&mut stranger).await.unwrap();
    assert!(noted <= chunks.len(), "nothing is noted of a chunk that is gone");
    chunks.len()
}

/// A number that looks random and is always the same.
fn scattered(number: usize) -> usize {
    number.wrapping_mul(2_654_435_761) >> 7
}

#[tokio::test(flavor = "multi_thread")]
async fn chunks_divide_and_merge_and_lists_and_prunes_find_all() {
    let server = server();
    let store = open(&server).await;
    let mut records = BTreeMap::new();
    // In order, against it, and in none.
    let orders: [fn(usize) -> usize; 3] = [|number| number, |number| 9_000 - number, scattered];
    for order in orders {
        for number in 0..300 {
            let mut token = token("alice", &format!("{number}"));
            let created_at = at((order(number) % 10_000) as i64);
            if number % 3 > 0 {
                token.record.id = TokenId::generate(&owner("alice"), created_at).unwrap();
            }
            token.record.created_at = created_at;
            token.record.expires_at =
                (number % 4 > 0).then(|| at((scattered(number) % 1_000) as i64));
            store.insert(&token, None, &event()).await.unwrap();
            records.insert(token.record.id, token.record);
        }
        look(&server, &records).await;
    }
    assert!(look(&server, &records).await > 8);
    for descending in [false, true] {
        let sort = hallpass_core::store::Sort { descending, ..Default::default() };
        let mut expected: Vec<_> = records.values().cloned().collect();
        expected.sort_by(|a, b| sort.compare(&sort.key_of(a), &sort.key_of(b)));
        let mut query = ListQuery { sort, limit: 77, ..everything() };
        let mut walked = Vec::new();
        loop {
            let page = store.list(&query).await.unwrap();
            assert_eq!(page.counts.of(None), 900);
            walked.extend(page.records);
            query.after = walked.last().map(|record| sort.key_of(record));
            if !page.more {
                break;
            }
        }
        assert_eq!(walked, expected);
    }

    // Some move to where they were not, some get another end.
    let ids: Vec<_> = records.keys().copied().collect();
    for (number, id) in ids.iter().enumerate().filter(|(number, _)| number % 7 == 0) {
        let change = edited(&records[id], |record| match number % 3 {
            0 => record.created_at = at((scattered(number) % 20_000) as i64),
            1 => record.revoked_at = Some(at((scattered(number) % 1_000) as i64 - 500)),
            _ => record.expires_at = None,
        });
        store.update(&change, &event()).await.unwrap();
        records.insert(*id, change.record);
    }
    look(&server, &records).await;
    let ended = |record: &TokenRecord, before| {
        record.revoked_at.is_some_and(|end| end < before)
            || record.expires_at.is_some_and(|end| end < before)
    };
    for (millis, limit) in [(-600, 1_000), (100, 40), (100, 1_000), (500, 1_000)] {
        let over: Vec<_> = records.values().filter(|record| ended(record, at(millis))).collect();
        let expected = over.len().min(limit as usize) as u64;
        assert_eq!(
            store.prune(at(millis), limit, &event()).await.unwrap(),
            expected,
            "before {millis}"
        );
        let left = store.list(&everything()).await.unwrap().records;
        let left: BTreeMap<_, _> = left.into_iter().map(|record| (record.id, record)).collect();
        assert_eq!(left.len() as u64, records.len() as u64 - expected);
        assert!(left.iter().all(|(id, record)| records[id] == *record));
        if limit == 1_000 {
            assert!(!left.values().any(|record| ended(record, at(millis))));
        }
        records = left;
        look(&server, &records).await;
    }
    let before = look(&server, &records).await;
    // Few are left of each chunk, and what is left moves together.
    for (number, id) in records.keys().copied().collect::<Vec<_>>().into_iter().enumerate() {
        if number % 10 > 0 {
            store.delete(id, None, &event()).await.unwrap();
            records.remove(&id);
        }
    }
    assert!(look(&server, &records).await < before);
    assert_eq!(
        store.delete_owner(&owner("alice"), &event()).await.unwrap().count,
        records.len() as u64
    );
    records.clear();
    assert_eq!(look(&server, &records).await, 0);
    assert_eq!(
        run(&server, &["KEYS", "*"]).lines().count(),
        3,
        "clock, log, and what is said of both"
    );
}

/// Reads everything there is.
async fn all(store: &RedisStore) -> BTreeMap<TokenId, TokenRecord> {
    let page = store.list(&everything()).await.unwrap();
    assert_eq!(page.records.len() as u64, page.counts.of(None));
    page.records.into_iter().map(|record| (record.id, record)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_prunes_beside_all_sorts_of_changes_let_go_of_what_has_ended_and_nothing_else() {
    const END: i64 = 500;
    let server = server();
    let (store, other) = (open(&server).await, open(&server).await);
    let ending = |number: usize| {
        let mut token = token("alice", &format!("{number}"));
        token.record.id =
            TokenId::generate(&owner("alice"), at((scattered(number) % 5_000) as i64)).unwrap();
        token.record.created_at = at((scattered(number) % 5_000) as i64);
        token.record.expires_at =
            (!number.is_multiple_of(5)).then(|| at((scattered(number) % 1_000) as i64));
        token
    };
    let tokens: Vec<_> = (0..1_200).map(ending).collect();
    let (first, second) = tokens.split_at(600);
    let inserts = first.iter().map(|token| store.insert(token, None, &event()));
    assert!(futures::future::join_all(inserts).await.iter().all(Result::is_ok));

    let has_ended = |record: &TokenRecord| {
        record.expires_at.into_iter().chain(record.revoked_at).any(|end| end < at(END))
    };

    let is_over = std::sync::atomic::AtomicBool::new(false);
    let pruning = async |store: &RedisStore| {
        let mut pruned = 0;
        while !is_over.load(std::sync::atomic::Ordering::Relaxed) {
            pruned += store.prune(at(END), 10, &event()).await.unwrap();
            tokio::task::yield_now().await;
        }
        pruned
    };
    let changing = async {
        let (mut kept, mut deleted) = (Vec::new(), 0);
        for (number, (token, new)) in first.iter().zip(second).enumerate() {
            store.insert(new, None, &event()).await.unwrap();
            let done = match number % 4 {
                // Some get more time, and some of them at the very last moment.
                0 => {
                    let more = edited(&token.record, |record| record.expires_at = Some(at(2_000)));
                    other.update(&more, &event()).await.map(|_| kept.push(more.record))
                }
                1 => {
                    let end = edited(&token.record, |record| record.revoked_at = Some(at(100)));
                    other.update(&end, &event()).await.map(drop)
                }
                2 => other.delete(token.record.id, None, &event()).await.map(|_| deleted += 1),
                _ => Ok(()),
            };
            if let Err(error) = done {
                assert!(error.is_not_found() && has_ended(&token.record), "{error:?}");
            }
        }
        is_over.store(true, std::sync::atomic::Ordering::Relaxed);
        (kept, deleted)
    };
    let (by_one, by_other, (kept, deleted)) =
        futures::join!(pruning(&store), pruning(&other), changing);
    let last = store.prune(at(END), 10_000, &event()).await.unwrap();
    let left = all(&store).await;
    look(&server, &left).await;
    assert_eq!(left.len() as u64, 1_200 - deleted - by_one - by_other - last);
    assert!(kept.iter().all(|record| left[&record.id] == *record), "what got more time has it");
    assert!(!left.values().any(has_ended));
    let mut others = second.iter().map(|token| &token.record).filter(|record| !has_ended(record));
    assert!(others.all(|record| left[&record.id] == *record));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prune_lets_go_of_few_at_a_time() {
    let server = server();
    let store = open(&server).await;
    for number in 0..100 {
        let mut token = token("alice", "ci");
        token.record.expires_at = Some(at(number));
        store.insert(&token, None, &event()).await.unwrap();
    }
    run(&server, &["CONFIG", "RESETSTAT"]);
    assert_eq!(store.prune(at(100), 1_000, &event()).await.unwrap(), 100);
    let stats = run(&server, &["INFO", "commandstats"]);
    let scripts = stats.lines().find_map(|line| line.strip_prefix("cmdstat_evalsha:calls="));
    let scripts: u64 = scripts.unwrap().split(',').next().unwrap().parse().unwrap();
    assert!(scripts >= 12, "others come in between: {scripts} scripts for 100 tokens");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_tokens_of_one_owner_are_listed_and_taken_back() {
    const MANY: u64 = 2_500;
    let server = server();
    let store = open(&server).await;
    for _ in 0..MANY / 100 {
        let tokens: Vec<_> = (0..100).map(|_| token("alice", "ci")).collect();
        let inserts = tokens.iter().map(|token| store.insert(token, None, &event()));
        assert!(futures::future::join_all(inserts).await.iter().all(Result::is_ok));
    }
    let hers = ListQuery { owner: Some(owner("alice")), limit: 5, ..everything() };
    let page = store.list(&hers).await.unwrap();
    assert_eq!((page.records.len(), page.counts.of(None), page.more), (5, MANY, true));
    let page = store.list(&ListQuery { limit: 2_000, ..everything() }).await.unwrap();
    assert_eq!((page.records.len(), page.counts.of(None), page.more), (2_000, MANY, true));
    // All have to be read for these, some steps ahead of whoever counts them.
    let searched = ListQuery { text: Some("ci".into()), limit: 20, ..everything() };
    let page = store.list(&searched).await.unwrap();
    assert_eq!((page.records.len(), page.counts.of(None), page.more), (20, MANY, true));
    let newest = store.list(&ListQuery { limit: 20, ..everything() }).await.unwrap();
    assert_eq!(page.records, newest.records);
    assert_eq!(
        store.revoke_owner(&owner("alice"), None, at(1), &event()).await.unwrap().count,
        MANY
    );
    let gone = store.delete_owner(&owner("alice"), &event()).await.unwrap();
    assert_eq!((gone.count, gone.seq.unwrap().get()), (MANY, MANY + 2));
}
