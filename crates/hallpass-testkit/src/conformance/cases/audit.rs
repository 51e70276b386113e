//! The change log as an audit trail.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hallpass_core::store::{
    AuditEntry, AuditQuery, Change, ChangeKind, ChangeSeq, ChangeTarget, TokenStore,
};
use hallpass_core::{Event, EventKind, FieldChange, Origin};
use tokio::task::yield_now;

use super::check::{
    at_once, audited_since, head, logged_since, oldest_first, whole_log, whole_trail,
};
use crate::conformance::Replicas;
use crate::conformance::samples::{at, digest, edited, event, owner, secrets, token};

/// Returns an event that differs from all others.
fn numbered(kind: EventKind, number: i64) -> Event {
    let mut event = event();
    (event.kind, event.at) = (kind, at(number));
    event
}

pub async fn each_change_writes_one_entry(store: Replicas) {
    let (alice, bob) = (owner("alice"), owner("bob"));
    let tokens = ["1", "2", "3", "4"].map(|name| token("alice", name));
    let ids = tokens.each_ref().map(|token| token.record.id);
    let mut number = 0;
    // Runs a call with its own event, and compares the logged entry with the event.
    macro_rules! logs {
        ($call:ident($($arg:expr),*) => $($target:expr, $token_id:expr, $owner:expr, $count:expr);*) => {{
            number += 1;
            let before = head(&store).await;
            let event = numbered(EventKind::Updated, number);
            store.$call($($arg,)* &event).await.unwrap();
            let expected: Vec<(ChangeTarget, Event)> = vec![$({
                let mut event = event.clone();
                (event.token_id, event.owner, event.count) = ($token_id, $owner, $count);
                ($target, event)
            }),*];
            let (targets, events): (Vec<_>, Vec<_>) = expected.into_iter().unzip();
            assert_eq!(logged_since(&store, before).await, targets, stringify!($call));
            let audited = audited_since(&store, before).await;
            let written: Vec<_> = audited.into_iter().map(|entry| entry.event).collect();
            assert_eq!(written, events, stringify!($call));
        }};
    }
    let hers = || Some(alice.clone());
    let token = ChangeTarget::Token;
    let owner = || ChangeTarget::Owner(alice.clone());
    for token_of in &tokens {
        logs!(insert(token_of, None) => token(token_of.record.id), Some(token_of.record.id), hers(), 1);
    }
    logs!(update(&edited(&tokens[0].record, |_| {})) => token(ids[0]), Some(ids[0]), hers(), 1);
    logs!(replace_digest(ids[1], &digest(1), &secrets(2)) => token(ids[1]), Some(ids[1]), hers(), 1);
    logs!(log_owner_change(&alice) => owner(), None, hers(), 1);
    logs!(delete(ids[0], None) => token(ids[0]), Some(ids[0]), hers(), 1);
    logs!(delete_many(None, &[ids[0], ids[1]]) => token(ids[1]), Some(ids[1]), hers(), 1);
    logs!(revoke_owner(&bob, None, at(1)) =>);
    logs!(revoke_owner(&alice, None, at(1)) => owner(), None, hers(), 2);
    logs!(revoke_everyone(None, at(1), 10) =>);
    logs!(insert(&tokens[0], None) => token(ids[0]), Some(ids[0]), hers(), 1);
    logs!(revoke_everyone(None, at(1), 10) => ChangeTarget::All, None, hers(), 1);
    logs!(prune(at(0), 10) =>);
    logs!(prune(at(2), 1) => ChangeTarget::None, None, hers(), 1);
    logs!(delete_owner(&bob) =>);
    logs!(delete_owner(&alice) => owner(), None, hers(), 2);
    logs!(delete_many(None, &ids) =>);
}

pub async fn failed_calls_write_no_entry(store: Replicas) {
    let (kept, unknown) = (token("alice", "kept"), token("alice", "unknown"));
    store.insert(&kept, None, &event()).await.unwrap();
    let before = (whole_log(&store).await, whole_trail(&store).await);
    let late = Change {
        kind: ChangeKind::Revoked,
        ..edited(&edited(&kept.record, |_| {}).record, |record| record.revoked_at = Some(at(1)))
    };
    let id = kept.record.id;
    store.insert(&kept, None, &event()).await.unwrap_err();
    store.insert(&unknown, Some(1), &event()).await.unwrap_err();
    store.update(&late, &event()).await.unwrap_err();
    store.update(&edited(&unknown.record, |_| {}), &event()).await.unwrap_err();
    store.replace_digest(id, &digest(9), &secrets(2), &event()).await.unwrap_err();
    store.delete(id, Some(late.record.revision), &event()).await.unwrap_err();
    store.delete(unknown.record.id, None, &event()).await.unwrap_err();
    assert_eq!((whole_log(&store).await, whole_trail(&store).await), before);
}

pub async fn entries_come_back_unchanged(store: Replicas) {
    let hostile = "ünï \"quoted\" 'single' \\ \u{1F600} \u{10FFFF}\n\t{} $1 % '; --";
    let mut expected = Vec::new();
    for (number, kind) in EventKind::RECORDED.into_iter().enumerate() {
        let mut event = Event::new(kind, at(number as i64 * 7 + 1));
        event.count = [1, 0, 5_000_000_000][number % 3];
        event.actor = (number % 2 == 0).then(|| owner(hostile.lines().next().unwrap()));
        let subject = owner(["acme/41 – Zoë 'x' \"y\"", "alice", "Alice"][number % 3]);
        event.owner = Some(subject.clone());
        event.token_id = (number % 4 == 0).then(|| token("bob", "other").record.id);
        event.origin = match number % 3 {
            0 => Origin::new(),
            1 => Origin::new().ip("2001:db8::7".parse().unwrap()),
            _ => Origin::new()
                .ip("203.0.113.7".parse().unwrap())
                .user_agent(&"curl/8 \"ü\"".repeat(20))
                .request_id("a'b"),
        };
        let change = |field: &str, before: serde_json::Value, after: serde_json::Value| {
            FieldChange { field: field.to_owned(), before, after }
        };
        event.changes = match number % 3 {
            0 => Vec::new(),
            1 => vec![change("name", hostile.into(), serde_json::Value::Null)],
            _ => vec![
                change("description", "x".repeat(4096).into(), hostile.repeat(60).into()),
                change("metadata", serde_json::json!({hostile: 1.5, "a": true}), 7.into()),
                change("scopes", vec!["jobs", "projects:read:*"].into(), Vec::<&str>::new().into()),
            ],
        };
        // The target is the owner, although the event may also name a token.
        let before = head(&store).await;
        store.log_owner_change(&subject, &event).await.unwrap();
        assert_eq!(logged_since(&store, before).await, [ChangeTarget::Owner(subject)]);
        expected.push(event);
    }
    let written: Vec<_> = whole_trail(&store).await.into_iter().map(|entry| entry.event).collect();
    assert_eq!(written, expected);
}

pub async fn entries_of_a_deleted_token_remain(store: Replicas) {
    let token = token("alice", "ci");
    let id = token.record.id;
    let mut event = event();
    event.token_id = Some(id);
    store.insert(&token, None, &event).await.unwrap();
    store.delete(id, None, &event).await.unwrap();
    let of_token = AuditQuery { token_id: Some(id), ..AuditQuery::newest(10) };
    assert_eq!(store.audit(&of_token).await.unwrap().entries.len(), 2);
}

/// Reads the whole trail in pages, in the order of the query.
async fn walk(store: &Replicas, query: &AuditQuery) -> Vec<AuditEntry> {
    let mut query = query.clone();
    let mut entries: Vec<AuditEntry> = Vec::new();
    loop {
        let page = store.audit(&query).await.unwrap();
        assert!(page.entries.len() <= query.limit as usize);
        assert!(
            !page.more || page.entries.len() == query.limit as usize,
            "a page that is not the last one is not full"
        );
        assert!(
            entries.is_empty() || !page.entries.is_empty(),
            "a page reports that more entries follow, but the next page is empty"
        );
        entries.extend(page.entries);
        assert!(entries.len() < 100_000, "the pages do not end");
        if !page.more {
            return entries;
        }
        query.after = entries.last().map(|entry| entry.seq);
    }
}

pub async fn audit_and_changes_agree_under_16_writers(store: Replicas) {
    const ROUNDS: usize = 5;
    let writers = (0..16_i64).map(|writer| {
        let store = store.clone();
        async move {
            let name = format!("owner {writer}");
            let mut written = Vec::new();
            for round in 0..ROUNDS {
                let number = writer * 1_000 + round as i64 * 10;
                let token = token(&name, "ci");
                let mut event = numbered(EventKind::Issued, number);
                event.token_id = Some(token.record.id);
                event.owner = Some(owner(&name));
                written.push((store.insert(&token, None, &event).await.unwrap(), event.clone()));
                (event.kind, event.at) = (EventKind::Updated, at(number + 1));
                let renamed = edited(&token.record, |record| record.name.push('x'));
                written.push((store.update(&renamed, &event).await.unwrap(), event.clone()));
                store.update(&renamed, &event).await.unwrap_err();
                (event.kind, event.at) = (EventKind::OwnerChanged, at(number + 2));
                let seq = store.log_owner_change(&owner(&name), &event).await.unwrap();
                written.push((seq, event.clone()));
                (event.kind, event.at) = (EventKind::Deleted, at(number + 3));
                let seq = store.delete(token.record.id, None, &event).await.unwrap();
                written.push((seq, event));
            }
            assert!(written.is_sorted_by(|(a, _), (b, _)| a < b));
            written
        }
    });
    let mut expected: Vec<_> = at_once(writers).await.into_iter().flatten().collect();
    expected.sort_by_key(|(seq, _)| *seq);
    let numbers = (1..=expected.len() as u64).map(ChangeSeq::new);
    assert!(
        expected.iter().map(|(seq, _)| *seq).eq(numbers),
        "the numbers have a gap or a duplicate"
    );
    let log = whole_log(&store).await;
    assert!(log.iter().map(|entry| entry.position.seq).eq(expected.iter().map(|(seq, _)| *seq)));
    let trail: Vec<_> =
        whole_trail(&store).await.into_iter().map(|entry| (entry.seq, entry.event)).collect();
    assert_eq!(trail, expected);
}

/// Writes entries with every combination of owner, token and kind, and returns the trail.
async fn populated(store: &Replicas) -> Vec<AuditEntry> {
    let tokens = [token("alice", "1"), token("Alice", "2")];
    let kinds = [EventKind::Issued, EventKind::Updated, EventKind::Revoked];
    let mut expected = Vec::new();
    for number in 0..60_usize {
        let mut event = numbered(kinds[number % 3], (number / 4) as i64 * 10);
        let subject = owner(["alice", "Alice", "carol", "bob"][number % 4]);
        event.owner = Some(subject.clone());
        event.token_id = (number % 5 < 2).then(|| tokens[number % 5].record.id);
        let seq = store.log_owner_change(&subject, &event).await.unwrap();
        expected.push(AuditEntry::new(seq, event));
    }
    expected
}

pub async fn filters_agree_with_the_definition(store: Replicas) {
    let entries = populated(&store).await;
    let tokens: HashSet<_> = entries.iter().filter_map(|entry| entry.event.token_id).collect();
    let tokens: Vec<_> = tokens.into_iter().map(Some).chain([None]).collect();
    let mut matches = 0;
    for owner in [None, Some(owner("alice")), Some(owner("ALICE")), Some(owner("bob"))] {
        for token_id in &tokens {
            for kind in [None, Some(EventKind::Updated), Some(EventKind::Pruned)] {
                // Entries were written at these times: `since` includes them, `until` does not.
                for (since, until) in
                    [(None, None), (Some(50), None), (None, Some(50)), (Some(50), Some(51))]
                {
                    let query = AuditQuery {
                        owner: owner.clone(),
                        token_id: *token_id,
                        kind,
                        since: since.map(at),
                        until: until.map(at),
                        ..oldest_first(7)
                    };
                    let matching = entries.iter().filter(|entry| query.matches(&entry.event));
                    let mut expected: Vec<_> = matching.cloned().collect();
                    assert_eq!(walk(&store, &query).await, expected, "{query:?}");
                    let newest = AuditQuery { ascending: false, ..query };
                    expected.reverse();
                    assert_eq!(walk(&store, &newest).await, expected, "{newest:?}");
                    matches += expected.len();
                }
            }
        }
    }
    assert!(matches > 200, "the filters match too few entries: {matches}");
}

pub async fn pages_join_in_both_orders(store: Replicas) {
    let mut entries = populated(&store).await;
    for limit in [1, 7, 59, 60, 61] {
        assert_eq!(walk(&store, &oldest_first(limit)).await, entries, "pages of {limit}");
    }
    entries.reverse();
    for limit in [1, 7, 59, 60, 61] {
        assert_eq!(walk(&store, &AuditQuery::newest(limit)).await, entries, "pages of {limit}");
    }
    // A position beyond either end of the log is not an error.
    for (ascending, after, expected) in [
        (true, 0, 60),
        (true, 60, 0),
        (true, 1 << 40, 0),
        (true, u64::MAX, 0),
        (false, 0, 0),
        (false, 1, 0),
        (false, 1 << 40, 60),
        (false, u64::MAX, 60),
    ] {
        let after = Some(ChangeSeq::new(after));
        let query = AuditQuery { after, ascending, ..AuditQuery::newest(100) };
        assert_eq!(store.audit(&query).await.unwrap().entries.len(), expected, "{query:?}");
    }
}

pub async fn ascending_pages_lose_nothing_during_writes(store: Replicas) {
    let done = Arc::new(AtomicBool::new(false));
    let reader = tokio::spawn({
        let (store, done) = (store.clone(), done.clone());
        async move {
            let mut entries = Vec::new();
            loop {
                let is_last_round = done.load(Ordering::Acquire);
                let after = entries.last().map(|entry: &AuditEntry| entry.seq);
                let page = store.audit(&AuditQuery { after, ..oldest_first(5) }).await.unwrap();
                entries.extend(page.entries);
                if is_last_round && !page.more {
                    return entries;
                }
                yield_now().await;
            }
        }
    });
    let writers = (0..8).map(|_| {
        let store = store.clone();
        async move {
            for number in 0..15 {
                let event = numbered(EventKind::OwnerChanged, number);
                store.log_owner_change(&owner("alice"), &event).await.unwrap();
                // A descending walk at the same time returns each entry at most once.
                let newest: Vec<_> = walk(&store, &AuditQuery::newest(10)).await;
                assert!(
                    newest.is_sorted_by(|a, b| a.seq > b.seq),
                    "entries are out of order or duplicated"
                );
            }
        }
    });
    at_once(writers).await;
    done.store(true, Ordering::Release);
    let entries = reader.await.expect("no panic");
    assert_eq!(entries, whole_trail(&store).await);
    assert_eq!(entries.len(), 120);
}
