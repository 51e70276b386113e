//! Tests of the audit trail, which the log keeps.

use hallpass_core::store::{AuditEntry, AuditQuery, ChangeSeq, TokenStore as _};
use hallpass_core::{FieldChange, Origin};

use super::*;

/// An event with a value in every field.
fn full_event(token: &StoredToken, millis: i64) -> Event {
    let mut event = Event::new(EventKind::Issued, at(millis));
    event.actor = Some(owner("root"));
    event.owner = Some(token.record.owner.clone());
    event.token_id = Some(token.record.id);
    event.origin = Origin::new().ip("203.0.113.7".parse().unwrap());
    let (before, after) = (serde_json::Value::Null, "a \u{1F600}".into());
    event.changes = vec![FieldChange { field: "name".into(), before, after }];
    event
}

async fn page(store: &RedisStore, query: &AuditQuery) -> Vec<AuditEntry> {
    let page = store.audit(query).await.unwrap();
    assert!(page.entries.len() <= query.limit as usize);
    page.entries
}

#[tokio::test]
async fn entry_contains_the_whole_event() {
    let store = store().await;
    let token = token("alice", "ci");
    let issued = full_event(&token, 1);
    let seq = store.insert(&token, None, &issued).await.unwrap();
    let plain = event();
    store.log_owner_change(&owner("bob"), &plain).await.unwrap();
    let mut deleted = Event::new(EventKind::Deleted, at(2));
    store.delete_many(None, &[token.record.id], &deleted).await.unwrap();
    deleted.owner = Some(owner("alice"));
    deleted.token_id = Some(token.record.id);
    let expected = [(seq, issued), (seq.next(), plain), (seq.next().next(), deleted)];
    let query = AuditQuery { ascending: true, ..AuditQuery::newest(10) };
    let entries = page(&store, &query).await;
    assert_eq!(entries, expected.map(|(seq, event)| AuditEntry::new(seq, event)));
    assert!(!store.audit(&query).await.unwrap().more);
}

#[tokio::test]
async fn bulk_changes_are_recorded_with_their_count() {
    let store = store().await;
    for _ in 0..3 {
        store.insert(&token("alice", "ci"), None, &event()).await.unwrap();
    }
    let mut revoked = Event::new(EventKind::Revoked, at(3));
    revoked.owner = Some(owner("alice"));
    store.revoke_owner(&owner("alice"), None, at(1), &revoked).await.unwrap();
    store.prune(at(2), 2, &Event::new(EventKind::Pruned, at(4))).await.unwrap();
    let entries = page(&store, &AuditQuery::newest(2)).await;
    assert_eq!(entries[0].event.count, 2);
    revoked.count = 3;
    assert_eq!(entries[1].event, revoked);
}

#[tokio::test]
async fn every_page_contains_the_entries_that_match_its_query() {
    let store = store().await;
    let tokens = [token("alice", "1"), token("alice", "2"), token("bob", "3")];
    let mut all = Vec::new();
    for number in 0..120_usize {
        let token = &tokens[number % 7 % 3];
        let mut event = full_event(token, number as i64);
        event.kind = EventKind::RECORDED[number % 3];
        if number % 5 == 0 {
            event.token_id = None;
        }
        let seq = store.log_owner_change(&token.record.owner, &event).await.unwrap();
        all.push(AuditEntry::new(seq, event));
    }
    for filter in 0..32_u32 {
        for (ascending, limit) in [(false, 7), (true, 7), (true, 500)] {
            let mut query = AuditQuery {
                owner: (filter & 1 > 0).then(|| owner("alice")),
                token_id: (filter & 2 > 0).then_some(tokens[1].record.id),
                kind: (filter & 4 > 0).then_some(EventKind::RECORDED[1]),
                since: (filter & 8 > 0).then(|| at(33)),
                until: (filter & 16 > 0).then(|| at(100)),
                ascending,
                ..AuditQuery::newest(limit)
            };
            let mut expected: Vec<_> =
                all.iter().filter(|entry| query.matches(&entry.event)).cloned().collect();
            if !ascending {
                expected.reverse();
            }
            let mut walked = Vec::new();
            loop {
                let page = store.audit(&query).await.unwrap();
                walked.extend(page.entries);
                query.after = walked.last().map(|entry| entry.seq);
                if !page.more {
                    break;
                }
            }
            assert_eq!(walked, expected, "{query:?}");
        }
    }
}

#[tokio::test]
async fn page_of_one_token_does_not_read_the_whole_log() {
    let server = server();
    let store = open(server.url()).await;
    let quiet = token("alice", "ci");
    store.insert(&quiet, None, &full_event(&quiet, 0)).await.unwrap();
    for number in 0..600 {
        store
            .log_owner_change(&owner("bob"), &Event::new(EventKind::OwnerChanged, at(number)))
            .await
            .unwrap();
    }
    run(&server, &["CONFIG", "RESETSTAT"]);
    for (owner, token_id) in [(Some(owner("alice")), None), (None, Some(quiet.record.id))] {
        let query = AuditQuery { owner, token_id, ..AuditQuery::newest(50) };
        assert_eq!(page(&store, &query).await.len(), 1);
    }
    let stats = run(&server, &["INFO", "commandstats"]);
    assert!(stats.contains("cmdstat_xrange:calls=2,"), "{stats}");
    assert!(!stats.contains("cmdstat_xrevrange"), "{stats}");
}

#[tokio::test]
async fn prune_log_deletes_the_oldest_entries_and_keeps_the_newest() {
    let server = server();
    let store = open(server.url()).await;
    let token = token("alice", "ci");
    for number in 0..300 {
        store.log_owner_change(&owner("alice"), &full_event(&token, number)).await.unwrap();
    }
    assert_eq!(store.prune_log(at(0), 1_000).await.unwrap(), 0);
    assert_eq!(store.prune_log(at(200), 10).await.unwrap(), 10);
    assert_eq!(store.prune_log(at(200), 1_000).await.unwrap(), 128);
    assert_eq!(store.prune_log(at(200), 1_000).await.unwrap(), 62);
    let query = AuditQuery { ascending: true, ..AuditQuery::newest(500) };
    let left = page(&store, &query).await;
    assert_eq!((left.len(), left[0].event.at), (100, at(200)));
    let filtered = AuditQuery { token_id: Some(token.record.id), ..query.clone() };
    assert_eq!(page(&store, &filtered).await, left);
    let filtered = AuditQuery { owner: Some(owner("alice")), ..query.clone() };
    assert_eq!(page(&store, &filtered).await, left);
    assert_eq!(
        run(&server, &["ZCARD", "{hallpass}loalice"]),
        "100",
        "the index must shrink as well"
    );

    let head = store.changes(None, 0).await.unwrap().head;
    assert_eq!(store.prune_log(at(1_000), 1_000).await.unwrap(), 99);
    assert_eq!(store.prune_log(at(1_000), 1_000).await.unwrap(), 0);
    let log = store.changes(Some(head), 10).await.unwrap();
    assert_eq!((log.entries.len(), log.entries[0].position), (1, head));
    assert_eq!(page(&store, &query).await[0].seq, ChangeSeq::new(300));
    let next = store.log_owner_change(&owner("alice"), &event()).await.unwrap();
    assert_eq!(next, head.seq.next());
}

#[tokio::test]
async fn prune_log_leaves_no_gap_after_a_wrong_clock() {
    let store = store().await;
    for millis in [1, 500, 2, 3, 400, 600] {
        let event = Event::new(EventKind::OwnerChanged, at(millis));
        store.log_owner_change(&owner("alice"), &event).await.unwrap();
    }
    assert_eq!(store.prune_log(at(10), 100).await.unwrap(), 4);
    let query = AuditQuery { ascending: true, ..AuditQuery::newest(10) };
    let left: Vec<_> = page(&store, &query).await.iter().map(|entry| entry.seq.get()).collect();
    assert_eq!(left, [5, 6]);
}
