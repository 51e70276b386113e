//! Unusual texts, the longest values, and the earliest and latest times are stored unchanged.

use std::slice;

use hallpass_core::store::{
    Change, ChangeKind, ListKey, ListQuery, ListValue, PreviousSecret, Secrets, Sort, SortBy,
    TokenStore, TokenUse,
};
use hallpass_core::{DESCRIPTION_MAX, Digest, NAME_MAX, Owner, ScopeSet, fold};
use jiff::Timestamp;

use super::check::{
    as_stored, assert_same, everything, exists, head, logged_since, read, whole_log,
};
use crate::conformance::Replicas;
use crate::conformance::samples::{at, digest, edited, event, owner, token};

/// Valid names that a driver or a database could misinterpret.
const NAMES: [&str; 14] = [
    "😀👩‍👩‍👧‍👦🏳️‍🌈",
    "עברית العربية",
    "e\u{301} is not é",
    "ß ẞ ss ſ K İ ı",
    "\u{10FFFF}\u{FFFF}\u{FFFE}\u{E000}",
    "a\u{200B}b\u{FEFF}c\u{AD}d",
    "'; DROP TABLE tokens; --",
    "$1 ?1 :a @b {} %s",
    "100% _ \\ * ? [",
    "{\"json\": null}",
    "\"quoted\", and, comma",
    "NULL",
    "0x00",
    "  inner   spaces kept",
];

pub async fn unusual_texts_come_back_unchanged(store: Replicas) {
    let mut stored = Vec::new();
    for (number, name) in NAMES.into_iter().enumerate() {
        let mut token = token(&format!("{name} {number}"), name);
        token.record.description = format!("{name}\r\n\t{name}\n");
        store.insert(&token, None, &event()).await.unwrap();
        stored.push(token);
    }
    for token in &stored {
        assert_same(&read(&store, token.record.id).await, token);
        let hers = ListQuery { owner: Some(token.record.owner.clone()), ..everything() };
        assert_eq!(store.list(&hers).await.unwrap().records, slice::from_ref(&token.record));
        // Each token is found by its whole name.
        let text = Some(fold(&token.record.name));
        let records = store.list(&ListQuery { text, ..everything() }).await.unwrap().records;
        assert!(records.contains(&token.record), "{:?}", token.record.name);
        for record in records {
            assert!(fold(&record.name).contains(&fold(&token.record.name)), "{:?}", record.name);
        }
    }
}

pub async fn longest_values_fit(store: Replicas) {
    let longest = |count| "\u{1F600}".repeat(count);
    let long_owner = Owner::new(longest(Owner::MAX_LEN)).unwrap();
    let mut token = token(long_owner.as_str(), &longest(NAME_MAX));
    token.record.description = longest(DESCRIPTION_MAX);
    let scopes: Vec<_> = (0..ScopeSet::MAX_LEN).map(|number| format!("{number:0>128}")).collect();
    token.record.scopes = ScopeSet::parse(&scopes).unwrap();
    token.secrets = Secrets {
        current: Digest::from_parts(&format!("hmac-sha256-v1:{}", "k".repeat(32)), &[7; 32])
            .unwrap(),
        previous: Some(PreviousSecret { digest: digest(0xFF), until: at(0) }),
    };
    store.insert(&token, Some(1), &event()).await.unwrap();
    assert_same(&read(&store, token.record.id).await, &token);

    let scope = Some(scopes[99].parse().unwrap());
    let hers = ListQuery { owner: Some(long_owner.clone()), scope, ..everything() };
    assert_eq!(store.list(&hers).await.unwrap().records, [as_stored(&token)]);
    let text = Some(longest(DESCRIPTION_MAX));
    assert_eq!(store.list(&ListQuery { text, ..everything() }).await.unwrap().counts.of(None), 1);
    let none = Some(longest(DESCRIPTION_MAX + 1));
    assert_eq!(
        store.list(&ListQuery { text: none, ..everything() }).await.unwrap().counts.of(None),
        0
    );
    // An owner that differs only in the last character is another owner.
    let other = Owner::new(format!("{}x", longest(Owner::MAX_LEN - 1))).unwrap();
    let others = ListQuery { owner: Some(other.clone()), ..everything() };
    assert_eq!(store.list(&others).await.unwrap().counts.of(None), 0);
    assert_eq!(store.delete_owner(&other, &event()).await.unwrap().count, 0);

    let shortened = edited(&token.record, |record| {
        record.name = "x".to_owned();
        record.description = String::new();
        record.scopes = ScopeSet::default();
    });
    store.update(&shortened, &event()).await.unwrap();
    store.log_owner_change(&long_owner, &event()).await.unwrap();
    assert_eq!(store.delete_owner(&long_owner, &event()).await.unwrap().count, 1);
    assert!(!exists(&store, token.record.id).await);
    assert_eq!(whole_log(&store).await.len(), 4);
}

/// The last instant that is a whole number of milliseconds, in the year 9999.
const LATEST: i64 = 253_402_207_200_000;

/// Instants that are one millisecond apart, around the epoch and at both ends of the range.
fn instants() -> Vec<Timestamp> {
    let millis = [
        Timestamp::MIN.as_millisecond(),
        -1,
        0,
        1,
        999,
        1_000,
        at(0).as_millisecond(),
        at(1).as_millisecond(),
        LATEST - 1,
        LATEST,
    ];
    millis.map(|millis| Timestamp::from_millisecond(millis).unwrap()).into()
}

pub async fn times_keep_their_milliseconds(store: Replicas) {
    let mut stored = Vec::new();
    for instant in instants() {
        let mut token = token("alice", "ci");
        token.record.created_at = instant;
        token.record.expires_at = Some(instant);
        token.record.revoked_at = Some(instant);
        token.record.regenerated_at = Some(instant);
        token.secrets.previous = Some(PreviousSecret { digest: digest(3), until: instant });
        store.insert(&token, None, &event()).await.unwrap();
        let usage = TokenUse { id: token.record.id, revision: token.record.revision, at: instant };
        assert_eq!(store.record_uses(&[usage]).await.unwrap(), 1, "{instant}");
        assert_eq!(
            store.record_uses(&[usage]).await.unwrap(),
            0,
            "{instant}: the same time is not later"
        );
        token.record.last_used_at = Some(instant);
        assert_same(&read(&store, token.record.id).await, &token);
        stored.push(as_stored(&token));
    }
    for by in [SortBy::CreatedAt, SortBy::ExpiresAt, SortBy::LastUsedAt] {
        let sort = Sort { by, descending: false };
        let query = ListQuery { sort, ..everything() };
        assert_eq!(store.list(&query).await.unwrap().records, stored, "{by:?}");
        for (number, record) in stored.iter().enumerate() {
            let after = Some(sort.key_of(record));
            let behind = store.list(&ListQuery { after, ..query.clone() }).await.unwrap().records;
            assert_eq!(behind, stored[number + 1..], "{by:?} after {number}");
        }
    }
    // A token has ended before an instant if it has ended at least a millisecond before it.
    for (number, instant) in instants().into_iter().enumerate() {
        let expected = u64::from(number > 0);
        assert_eq!(store.prune(instant, 10, &event()).await.unwrap(), expected, "before {instant}");
    }
}

pub async fn page_may_start_at_a_position_without_a_record(store: Replicas) {
    let tokens = ["b", "d", "f"].map(|name| token("alice", name));
    for token in &tokens {
        store.insert(token, None, &event()).await.unwrap();
    }
    let anybody = token("bob", "never stored").record.id;
    for (place, forward, backward) in
        [("", "bdf", ""), ("a", "bdf", ""), ("c", "df", "b"), ("😀", "", "fdb"), ("%", "bdf", "")]
    {
        for (descending, expected) in [(false, forward), (true, backward)] {
            let value = ListValue::Name(place.to_owned());
            let query = ListQuery {
                sort: Sort { by: SortBy::Name, descending },
                after: Some(ListKey { value, id: anybody }),
                ..everything()
            };
            let page = store.list(&query).await.unwrap();
            let names: String = page.records.into_iter().map(|record| record.name).collect();
            assert_eq!(
                (names.as_str(), page.counts.of(query.status), page.more),
                (expected, 3, false),
                "{place:?}"
            );
        }
    }
    let none = ListQuery { limit: 0, ..everything() };
    let page = store.list(&none).await.unwrap();
    assert_eq!((page.records.len(), page.counts.of(None), page.more), (0, 3, true));
}

pub async fn every_change_kind_is_accepted(store: Replicas) {
    let token = token("alice", "ci");
    store.insert(&token, None, &event()).await.unwrap();
    let mut record = token.record;
    for kind in [ChangeKind::Updated, ChangeKind::Regenerated, ChangeKind::Revoked] {
        let change = Change { kind, ..edited(&record, |record| record.name = format!("{kind:?}")) };
        store.update(&change, &event()).await.unwrap();
        record = change.record;
        assert_eq!(read(&store, record.id).await.record, record);
    }
}

pub async fn large_batches_succeed(store: Replicas) {
    const MANY: usize = 500;
    let mut tokens = Vec::new();
    for number in 0..4 {
        let token = token("alice", &format!("{number}"));
        store.insert(&token, None, &event()).await.unwrap();
        tokens.push(token.record);
    }
    let nobody = token("bob", "x").record.id;
    // The batches are as large as the handle makes them, and the existing tokens are far apart in
    // them.
    let token_at = |number: usize| number.is_multiple_of(125).then_some(number / 125);
    let uses: Vec<_> = (0..MANY)
        .map(|number| {
            let id = token_at(number).map_or(nobody, |known| tokens[known].id);
            TokenUse { id, revision: tokens[0].revision, at: at(number as i64 + 1) }
        })
        .collect();
    assert_eq!(store.record_uses(&uses).await.unwrap(), 4);
    let ids: Vec<_> = uses.iter().map(|usage| usage.id).collect();
    let before = head(&store).await;
    let gone = store.delete_many(Some(&owner("alice")), &ids, &event()).await.unwrap();
    assert_eq!(gone.tokens.len(), 4);
    assert_eq!(logged_since(&store, before).await.len(), 4);
}
