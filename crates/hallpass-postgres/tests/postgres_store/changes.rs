use hallpass_core::store::{Change, ChangeKind, TokenStore as _};
use hallpass_testkit::conformance::samples::{at, edited, event, token};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn sequence_order_is_commit_order() {
    let url = database();
    let (store, reader) = (open(&url).await, open(&url).await);
    let mut other = Stranger::connect(&url).await;
    let mut observer = Stranger::connect(&url).await;
    // Delays a change between taking its number and its commit. The mutation of the guard uses the
    // sequence.
    other
        .run(
            "CREATE SEQUENCE public.numbers; \
             CREATE FUNCTION public.wait() RETURNS trigger LANGUAGE plpgsql AS \
                 'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NEW; END'; \
             CREATE TRIGGER wait BEFORE INSERT ON hallpass.changes \
                 FOR EACH ROW WHEN (NEW.owner = 'slow') EXECUTE FUNCTION public.wait(); \
             SELECT pg_advisory_lock(1)",
        )
        .await;
    let start = reader.changes(None, 0).await.unwrap().head;
    let insert = |name| {
        let (store, token, event) = (store.clone(), token(name, "ci"), event_of(name));
        tokio::spawn(async move { store.insert(&token, None, &event).await })
    };
    let slow = insert("slow");
    observer.until_waiting(1).await;
    let quick = insert("quick");
    tokio::select! {
        () = observer.until_waiting(2) => {}
        () = async { while !quick.is_finished() { tokio::task::yield_now().await } } => {}
    }
    let first = reader.changes(Some(start), 10).await.unwrap().entries;
    let last = first.last().map_or(start, |entry| entry.position);
    other.run("SELECT pg_advisory_unlock(1)").await;
    let slow = slow.await.unwrap().unwrap();
    quick.await.unwrap().unwrap();
    let then = reader.changes(Some(last), 10).await.unwrap().entries;
    assert!(first.iter().chain(&then).any(|entry| entry.position.seq == slow));
}

#[tokio::test(flavor = "multi_thread")]
async fn outdated_edit_does_not_undo_a_revocation() {
    let store = open(&database()).await;
    let token = token("alice", "ci");
    store.insert(&token, None, &event()).await.unwrap();
    let rename = edited(&token.record, |record| record.name = "renamed".into());
    let revoke = edited(&token.record, |record| record.revoked_at = Some(at(1)));
    store.update(&Change { kind: ChangeKind::Revoked, ..revoke }, &event()).await.unwrap();
    assert!(store.update(&rename, &event()).await.unwrap_err().is_conflict());
    let found = store.get(token.record.id).await.unwrap().value.unwrap();
    assert_eq!(found.record.revoked_at, Some(at(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_revocation_survives_a_crash() {
    // A commit does not wait for the disk, and the server does not write to disk shortly
    // afterwards.
    let server = Postgres::start_with(&["wal_writer_delay=10s"]).unwrap();
    server.run("ALTER ROLE postgres SET synchronous_commit = off").unwrap();
    let store = open(server.url()).await;
    let token = token("alice", "ci");
    store.insert(&token, None, &event()).await.unwrap();
    server.run("CHECKPOINT").unwrap();
    let revoke = edited(&token.record, |record| record.revoked_at = Some(at(1)));
    store.update(&revoke, &event()).await.unwrap();
    server.kill().unwrap();
    server.start_again().unwrap();
    let found = store.get(token.record.id).await.unwrap().value.unwrap();
    assert_eq!(found.record.revoked_at, Some(at(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn new_primary_is_recognized_by_the_nonces() {
    let primary = Postgres::start().unwrap();
    let store = open(primary.url()).await;
    store.insert(&token("alice", "ci"), None, &event()).await.unwrap();
    let standby = primary.standby().unwrap();
    standby.stop_following().unwrap();
    standby.promote().unwrap();
    // The new primary lacks the last change of the old one, and assigns its number to another
    // change.
    let start = store.changes(None, 0).await.unwrap().head;
    store.insert(&token("alice", "lost"), None, &event()).await.unwrap();
    let lost = store.changes(Some(start), 10).await.unwrap().entries[1].position;
    let store = open(standby.url()).await;
    assert_eq!(store.insert(&token("alice", "next"), None, &event()).await.unwrap(), lost.seq);
    assert_ne!(store.changes(Some(lost), 10).await.unwrap().entries[0].position, lost);
}
