//! Tests of every method of the store contract. Each test uses a file of its own.

use hallpass_core::store::{
    AuditQuery, Change, ChangeKind, ChangeSeq, ChangeTarget, ListQuery, LogPosition,
    PreviousSecret, Secrets, Sort, SortBy, StatusCounts, StoredToken, TokenStore as _, TokenUse,
};
use hallpass_core::{
    Digest, Event, EventKind, Metadata, Owner, Revision, Status, TokenId, TokenRecord,
};
use hallpass_sqlite::{ConnectError, SqliteStore};
use jiff::Timestamp;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use tempfile::TempDir;

async fn store() -> (TempDir, SqliteStore) {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path().join("tokens.db")).await.unwrap();
    (directory, store)
}

async fn run(directory: &TempDir, sql: &str) {
    let path = directory.path().join("tokens.db");
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let mut connection = options.connect().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn owner(id: &str) -> Owner {
    Owner::new(id).unwrap()
}

fn digest(byte: u8) -> Digest {
    Digest::from_parts("sha256", &[byte; 32]).unwrap()
}

fn token(of: &str, name: &str, created: i64) -> StoredToken {
    let owner = owner(of);
    let id = TokenId::generate(&owner, at(created)).unwrap();
    let record = TokenRecord::new(id, owner, name, at(created));
    StoredToken { record, secrets: Secrets { current: digest(1), previous: None } }
}

fn event(kind: EventKind, token: &StoredToken, second: i64) -> Event {
    let mut event = Event::new(kind, at(second));
    event.actor = Some(owner("root"));
    event.owner = Some(token.record.owner.clone());
    event.token_id = Some(token.record.id);
    event
}

fn about_owner(kind: EventKind, of: &str, second: i64) -> Event {
    let mut event = Event::new(kind, at(second));
    event.owner = Some(owner(of));
    event
}

async fn insert(store: &SqliteStore, token: &StoredToken) -> ChangeSeq {
    store.insert(token, None, &event(EventKind::Issued, token, 0)).await.unwrap()
}

async fn record(store: &SqliteStore, token: &StoredToken) -> TokenRecord {
    store.get(token.record.id).await.unwrap().value.unwrap().record
}

async fn targets(store: &SqliteStore) -> Vec<ChangeTarget> {
    let start = LogPosition { seq: ChangeSeq::new(1), nonce: 0 };
    let batch = store.changes(Some(start), 1_000).await.unwrap();
    batch.entries.into_iter().map(|entry| entry.target).collect()
}

async fn trail(store: &SqliteStore) -> Vec<Event> {
    let query = AuditQuery { ascending: true, ..AuditQuery::newest(1_000) };
    store.audit(&query).await.unwrap().entries.into_iter().map(|entry| entry.event).collect()
}

#[tokio::test]
async fn record_and_secrets_are_read_as_they_were_written() {
    let (_directory, store) = store().await;
    let mut token = token("älice", "Clé Été", 1);
    token.record.description = "two\nlines".into();
    token.record.scopes = ["jobs", "projects:read"].into_iter().collect_scopes();
    token.record.metadata = Metadata::new([("team", "build")]).unwrap();
    token.record.expires_at = Some(at(100));
    let until = at(50);
    token.secrets.previous = Some(PreviousSecret { digest: digest(2), until });
    let seq = insert(&store, &token).await;
    let snapshot = store.get(token.record.id).await.unwrap();
    assert_eq!(snapshot.as_of, seq);
    let stored = snapshot.value.unwrap();
    token.record.previous_secret_expires_at = Some(until);
    assert_eq!(stored.record, token.record);
    assert!(stored.secrets.current.ct_eq(&digest(1)));
    assert!(stored.secrets.previous.unwrap().digest.ct_eq(&digest(2)));
    let listed = store.list(&ListQuery::everything(at(2), 9)).await.unwrap();
    assert_eq!(listed.records, [token.record.clone()]);
    let again = store.insert(&token, None, &event(EventKind::Issued, &token, 1)).await;
    assert!(again.unwrap_err().is_duplicate());
}

/// Collects texts into a [`ScopeSet`](hallpass_core::ScopeSet).
trait CollectScopes {
    fn collect_scopes(self) -> hallpass_core::ScopeSet;
}

impl<I: Iterator<Item = &'static str>> CollectScopes for I {
    fn collect_scopes(self) -> hallpass_core::ScopeSet {
        hallpass_core::ScopeSet::parse(self).unwrap()
    }
}

#[tokio::test]
async fn update_replaces_the_record_and_keeps_the_last_use() {
    let (_directory, store) = store().await;
    let token = token("alice", "ci", 0);
    insert(&store, &token).await;
    let id = token.record.id;
    let usage = TokenUse { id, revision: Revision::FIRST, at: at(9) };
    assert_eq!(store.record_uses(&[usage]).await.unwrap(), 1);
    assert_eq!(store.record_uses(&[usage]).await.unwrap(), 0, "the last use must never move back");

    let mut after = token.record.clone();
    after.name = "renamed".into();
    after.metadata = Metadata::new([("a", 1)]).unwrap();
    after.revision = after.revision.next();
    let secrets = Some(Secrets {
        current: digest(3),
        previous: Some(PreviousSecret { digest: digest(1), until: at(30) }),
    });
    let change = Change { record: after.clone(), secrets, kind: ChangeKind::Regenerated };
    let event = event(EventKind::Regenerated, &token, 1);
    assert_eq!(store.update(&change, &event).await.unwrap().get(), 2);
    after.last_used_at = Some(at(9));
    after.previous_secret_expires_at = Some(at(30));
    assert_eq!(record(&store, &token).await, after);
    assert!(store.update(&change, &event).await.unwrap_err().is_conflict());
    assert_eq!(store.record_uses(&[TokenUse { at: at(99), ..usage }]).await.unwrap(), 0);

    let new = Secrets { current: digest(4), previous: None };
    let mut event = event;
    event.kind = EventKind::DigestReplaced;
    let wrong = store.replace_digest(id, &digest(1), &new, &event).await.unwrap_err();
    assert!(wrong.is_conflict());
    store.replace_digest(id, &digest(3), &new, &event).await.unwrap();
    assert_eq!(record(&store, &token).await.previous_secret_expires_at, None);
    assert!(store.delete(id, Some(Revision::FIRST), &event).await.unwrap_err().is_conflict());
    store.delete(id, Some(after.revision), &event).await.unwrap();
    assert!(store.delete(id, None, &event).await.unwrap_err().is_not_found());
    assert!(store.update(&change, &event).await.unwrap_err().is_not_found());
    assert_eq!(trail(&store).await.len(), 4, "a failed call wrote a log entry");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn limit_is_exact_under_concurrent_inserts() {
    let (_directory, store) = store().await;
    let inserts = (0..32).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            let token = token("alice", "ci", 0);
            store.insert(&token, Some(10), &event(EventKind::Issued, &token, 0)).await
        })
    });
    let results = futures::future::join_all(inserts.collect::<Vec<_>>()).await;
    let (mut seqs, mut refused) = (Vec::new(), 0);
    for result in results {
        match result.unwrap() {
            Ok(seq) => seqs.push(seq.get()),
            Err(error) => {
                assert_eq!(error.limit_in_use(), Some(10), "{error:?}");
                refused += 1;
            }
        }
    }
    seqs.sort_unstable();
    assert_eq!((seqs, refused), ((1..=10).collect::<Vec<_>>(), 22));
}

#[tokio::test]
async fn deleting_many_writes_one_entry_per_token() {
    let (_directory, store) = store().await;
    let (mine, other) = (token("alice", "a", 0), token("bob", "b", 0));
    insert(&store, &mine).await;
    insert(&store, &other).await;
    let ids = [mine.record.id, other.record.id, token("alice", "missing", 0).record.id];
    let event = Event::new(EventKind::Deleted, at(5));
    let deleted = store.delete_many(Some(&owner("alice")), &ids, &event).await.unwrap();
    assert_eq!(deleted.tokens, [(mine.record.id, owner("alice"))]);
    assert_eq!(deleted.seq, Some(ChangeSeq::new(3)));
    let deleted = store.delete_many(None, &ids, &event).await.unwrap();
    assert_eq!(deleted.tokens, [(other.record.id, owner("bob"))]);
    assert_eq!(store.delete_many(None, &ids, &event).await.unwrap().seq, None);
    let trail = trail(&store).await;
    assert_eq!(trail.len(), 4);
    assert_eq!(trail[3].owner, Some(owner("bob")));
    assert_eq!(trail[3].token_id, Some(other.record.id));
    assert_eq!(targets(&store).await[3], ChangeTarget::Token(other.record.id));
}

#[tokio::test]
async fn bulk_calls_write_one_entry_with_the_count() {
    let (_directory, store) = store().await;
    let mut renewed = token("alice", "renewed", 0);
    renewed.record.regenerated_at = Some(at(20));
    let tokens =
        [renewed, token("alice", "old", 0), token("alice", "new", 15), token("bob", "b", 0)];
    for token in &tokens {
        insert(&store, token).await;
    }
    let alice = owner("alice");
    let event = about_owner(EventKind::Revoked, "alice", 30);
    let result = store.revoke_owner(&alice, Some(at(15)), at(30), &event).await.unwrap();
    assert_eq!((result.count, result.seq), (1, Some(ChangeSeq::new(5))));
    let old = record(&store, &tokens[1]).await;
    assert_eq!((old.revoked_at, old.revision.get()), (Some(at(30)), 2));
    let result = store.revoke_owner(&alice, Some(at(15)), at(31), &event).await.unwrap();
    assert_eq!((result.count, result.seq), (0, None));
    assert_eq!(store.revoke_owner(&alice, None, at(31), &event).await.unwrap().count, 2);

    let everyone = Event::new(EventKind::Revoked, at(32));
    insert(&store, &token("carol", "c", 0)).await;
    let revoke =
        async |before| store.revoke_everyone(before, at(32), 1, &everyone).await.unwrap().count;
    assert_eq!(revoke(Some(at(0))).await, 0);
    let counts = [revoke(None).await, revoke(None).await, revoke(None).await];
    assert_eq!(counts, [1, 1, 0], "tokens must be revoked in batches until none is left");

    let event = about_owner(EventKind::Deleted, "alice", 33);
    assert_eq!(store.delete_owner(&alice, &event).await.unwrap().count, 3);
    assert_eq!(store.delete_owner(&alice, &event).await.unwrap().seq, None);
    let event = about_owner(EventKind::OwnerChanged, "alice", 34);
    store.log_owner_change(&alice, &event).await.unwrap();
    let event = Event::new(EventKind::Pruned, at(35));
    assert_eq!(store.prune(at(33), 1, &event).await.unwrap(), 1);
    assert_eq!(store.prune(at(33), 9, &event).await.unwrap(), 1);
    assert_eq!(store.prune(at(33), 9, &event).await.unwrap(), 0);

    let entries = trail(&store).await;
    let counts: Vec<_> = entries.iter().map(|event| (event.kind, event.count)).collect();
    let mut expected = vec![(EventKind::Issued, 1); 4];
    expected.extend([
        (EventKind::Revoked, 1),
        (EventKind::Revoked, 2),
        (EventKind::Issued, 1),
        (EventKind::Revoked, 1),
        (EventKind::Revoked, 1),
        (EventKind::Deleted, 3),
        (EventKind::OwnerChanged, 1),
        (EventKind::Pruned, 1),
        (EventKind::Pruned, 1),
    ]);
    assert_eq!(counts, expected);
    let of_alice = || ChangeTarget::Owner(alice.clone());
    let targets = targets(&store).await;
    assert_eq!(targets[4..6], [of_alice(), of_alice()]);
    assert_eq!(targets[7..9], [ChangeTarget::All, ChangeTarget::All]);
    let last = [of_alice(), of_alice(), ChangeTarget::None, ChangeTarget::None];
    assert_eq!(targets[9..], last);
}

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

#[tokio::test]
async fn foreign_key_of_the_application_blocks_a_delete() {
    for action in ["", "ON DELETE RESTRICT", "DEFERRABLE INITIALLY DEFERRED"] {
        let (directory, store) = store().await;
        let token = token("alice", "ci", 0);
        insert(&store, &token).await;
        let sql = format!(
            "CREATE TABLE jobs (token BLOB REFERENCES hallpass_tokens (id) {action}); \
             INSERT INTO jobs SELECT id FROM hallpass_tokens"
        );
        run(&directory, &sql).await;
        let event = event(EventKind::Deleted, &token, 1);
        let errors = [
            store.delete(token.record.id, None, &event).await.unwrap_err(),
            store.delete_many(None, &[token.record.id], &event).await.unwrap_err(),
            store.delete_owner(&token.record.owner, &event).await.unwrap_err(),
        ];
        for error in errors {
            assert!(error.is_referenced() && !error.is_unavailable(), "{action}: {error:?}");
        }
        assert_eq!(trail(&store).await.len(), 1, "{action}: a failed call wrote a log entry");
        run(&directory, "DELETE FROM jobs").await;
        store.delete(token.record.id, None, &event).await.unwrap();
    }
}

#[tokio::test]
async fn newer_schema_is_rejected_with_advice() {
    let (directory, store) = store().await;
    store.close().await;
    run(&directory, "UPDATE hallpass_schema SET version = 99").await;
    let error = SqliteStore::open(directory.path().join("tokens.db")).await.unwrap_err();
    assert!(error.to_string().contains("upgrade this program"), "{error}");
    assert!(matches!(error, ConnectError::Newer { found: 99, .. }), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_ends_after_a_change_and_a_closed_store_is_unavailable() {
    let (_directory, store) = store().await;
    let seen = store.changes(None, 0).await.unwrap().head;
    let waiter = tokio::spawn({
        let store = store.clone();
        async move { store.wait_for_change(seen).await }
    });
    insert(&store, &token("alice", "ci", 0)).await;
    waiter.await.unwrap();
    store.ping().await.unwrap();
    store.close().await;
    assert!(store.ping().await.unwrap_err().is_unavailable());
}
