//! Tests of lists, the audit trail and the change log.

use hallpass_core::{Actor, AuditOptions, Hallpass, ListOptions, NewToken};
use jiff::SignedDuration;

use super::*;

#[tokio::test]
async fn every_list_contains_the_tokens_that_match_its_query() {
    let (_directory, store) = store().await;
    let mut all = Vec::new();
    for number in 0..24_i64 {
        let of = if number % 3 == 0 { "bob" } else { "alice" };
        let mut token = token(of, ["Zoë", "abc", "Été", "ABC"][number as usize % 4], number / 2);
        token.record.expires_at = (number % 2 == 0).then(|| at(number));
        token.record.revoked_at = (number % 5 == 0).then(|| at(number));
        token.record.last_used_at = (number % 4 == 0).then(|| at(number));
        let previous = (number % 3 == 1).then(|| at(number));
        token.record.previous_secret_expires_at = previous;
        token.secrets.previous = previous.map(|until| PreviousSecret { digest: digest(2), until });
        token.record.scopes =
            ["jobs:read", "jobs"].into_iter().take(1 + number as usize % 2).collect_scopes();
        insert(&store, &token).await;
        all.push(token.record);
    }
    let everything = ListQuery::everything(at(12), 5);
    let filters = [
        everything.clone(),
        ListQuery { owner: Some(owner("bob")), ..everything.clone() },
        ListQuery { status: Some(Status::Active), ..everything.clone() },
        ListQuery { status: Some(Status::Expired), ..everything.clone() },
        ListQuery { status: Some(Status::Revoked), never_used: true, ..everything.clone() },
        ListQuery { unused_since: Some(at(13)), ..everything.clone() },
        ListQuery { previous_secret: true, ..everything.clone() },
        ListQuery { text: Some("été".into()), ..everything.clone() },
        ListQuery { text: Some("%".into()), ..everything.clone() },
        ListQuery { text: Some("\0".into()), ..everything.clone() },
        ListQuery { scope: Some("jobs".parse().unwrap()), ..everything.clone() },
        ListQuery { expires_before: Some(at(14)), ..everything.clone() },
        ListQuery { expires_before: Some(at(9)), owner: Some(owner("alice")), ..everything },
    ];
    for filter in filters {
        for by in [SortBy::CreatedAt, SortBy::Name, SortBy::ExpiresAt, SortBy::LastUsedAt] {
            for descending in [false, true] {
                let mut query = ListQuery { sort: Sort { by, descending }, ..filter.clone() };
                let sort = query.sort;
                let mut expected: Vec<_> =
                    all.iter().filter(|record| query.matches(record)).cloned().collect();
                expected.sort_by(|a, b| sort.compare(&sort.key_of(a), &sort.key_of(b)));
                let mut counts = StatusCounts::default();
                all.iter()
                    .filter(|record| query.matches_apart_from_status(record))
                    .for_each(|record| counts.add(record.status(query.now)));
                let mut listed = Vec::new();
                loop {
                    let page = store.list(&query).await.unwrap();
                    assert_eq!((page.counts, page.as_of.get()), (counts, 24), "{query:?}");
                    query.after = page.records.last().map(|record| sort.key_of(record));
                    listed.extend(page.records);
                    if !page.more {
                        break;
                    }
                }
                assert_eq!(listed, expected, "{query:?}");
            }
        }
    }
}

#[tokio::test]
async fn audit_filters_orders_and_pages_the_log() {
    let (_directory, store) = store().await;
    let (a, b) = (token("alice", "a", 0), token("bob", "b", 0));
    insert(&store, &a).await;
    insert(&store, &b).await;
    let mut with_details = event(EventKind::Deleted, &a, 10);
    with_details = with_details
        .with_details_json(r#"{"changes":[{"field":"name","before":"a","after":null}]}"#)
        .unwrap();
    store.delete(a.record.id, None, &with_details).await.unwrap();
    store
        .log_owner_change(&owner("alice"), &about_owner(EventKind::OwnerChanged, "alice", 20))
        .await
        .unwrap();
    assert_eq!(trail(&store).await[2], with_details);

    let seqs = async |query: AuditQuery| {
        let page = store.audit(&query).await.unwrap();
        let seqs: Vec<_> = page.entries.iter().map(|entry| entry.seq.get()).collect();
        assert!(page.entries.iter().all(|entry| query.matches(&entry.event)), "{query:?}");
        (seqs, page.more)
    };
    let newest = AuditQuery::newest(3);
    assert_eq!(seqs(newest.clone()).await, (vec![4, 3, 2], true));
    let after = Some(ChangeSeq::new(2));
    assert_eq!(seqs(AuditQuery { after, ..newest.clone() }).await, (vec![1], false));
    let ascending = AuditQuery { after, ascending: true, ..newest.clone() };
    assert_eq!(seqs(ascending).await, (vec![3, 4], false));
    let alice = Some(owner("alice"));
    assert_eq!(seqs(AuditQuery { owner: alice, ..newest.clone() }).await, (vec![4, 3, 1], false));
    let token_id = Some(a.record.id);
    assert_eq!(seqs(AuditQuery { token_id, ..newest.clone() }).await, (vec![3, 1], false));
    let kind = Some(EventKind::Issued);
    assert_eq!(seqs(AuditQuery { kind, ..newest.clone() }).await, (vec![2, 1], false));
    let (since, until) = (Some(at(10)), Some(at(20)));
    assert_eq!(seqs(AuditQuery { since, until, ..newest }).await, (vec![3], false));
}

#[tokio::test]
async fn log_is_pruned_from_the_oldest_entry_and_keeps_the_newest() {
    let (_directory, store) = store().await;
    let alice = owner("alice");
    for second in 0..6 {
        let event = about_owner(EventKind::OwnerChanged, "alice", second);
        store.log_owner_change(&alice, &event).await.unwrap();
    }
    let head = store.changes(None, 0).await.unwrap().head;
    assert_eq!(store.prune_log(at(0), 9).await.unwrap(), 0);
    assert_eq!(store.prune_log(at(4), 3).await.unwrap(), 3);
    assert_eq!(store.prune_log(at(4), 3).await.unwrap(), 1);
    assert_eq!(store.prune_log(at(99), 9).await.unwrap(), 1);
    assert_eq!(store.prune_log(at(99), 9).await.unwrap(), 0);
    let batch = store.changes(Some(head), 9).await.unwrap();
    assert_eq!((batch.entries.len(), batch.entries[0].position), (1, head));
    let event = about_owner(EventKind::OwnerChanged, "alice", 9);
    let seq = store.log_owner_change(&alice, &event).await.unwrap();
    assert_eq!(seq, head.seq.next());
}

/// A store keeps whole milliseconds. The handle's options may contain a fraction of one, and must
/// still select exactly what they say.
#[tokio::test]
async fn handle_compares_times_exactly() {
    let (_directory, store) = store().await;
    let hallpass = Hallpass::builder(store).build();
    let alice = Actor::owner("alice");
    let record = hallpass.issue(&alice, NewToken::named("ci")).await.unwrap().record;
    let audited = async |options| hallpass.audit(&alice, &options).await.unwrap().items;
    let written = audited(AuditOptions::new()).await[0].event.at;
    for (nanos, is_before) in [(-1, false), (0, false), (1, true)] {
        let nanos = SignedDuration::from_nanos(nanos);
        let (written, created) = (written + nanos, record.created_at + nanos);
        let until = audited(AuditOptions::new().until(written)).await;
        assert_eq!(until.len(), usize::from(is_before), "{nanos}");
        let since = audited(AuditOptions::new().since(written)).await;
        assert_eq!(since.len(), usize::from(!is_before), "{nanos}");
        let unused = ListOptions::new().unused_since(created);
        let listed = hallpass.list(&alice, &unused).await.unwrap();
        assert_eq!(listed.total, u64::from(is_before), "{nanos}");
    }
    let between = Some(record.created_at + SignedDuration::from_nanos(1));
    assert_eq!(hallpass.revoke_owner(&alice, &record.owner, between).await.unwrap(), 1);
    let new = NewToken::named("ci");
    let record = hallpass.issue(&Actor::owner("bob"), new).await.unwrap().record;
    let between = Some(record.created_at + SignedDuration::from_nanos(1));
    assert_eq!(hallpass.revoke_everyone(&Actor::admin("root"), between).await.unwrap(), 1);
}
