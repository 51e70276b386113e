use hallpass_core::store::TokenStore as _;

use super::*;

/// Whether whoever follows the log misses a change that others have overtaken.
async fn an_overtaken_change_is_missed(guards: Guards) -> bool {
    let url = database();
    let (store, reader) = (open(&url, guards).await, open(&url, Guards::ON).await);
    let mut other = Stranger::at(&url).await;
    let mut observer = Stranger::at(&url).await;
    // Somebody who holds a change up between its number and its commit.
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
    let insert = |owner| {
        let (store, token) = (store.clone(), token(owner, "ci"));
        tokio::spawn(async move { store.insert(&token, None, &event()).await })
    };
    let slow = insert("slow");
    observer.until_they_wait(1).await;
    let quick = insert("quick");
    tokio::select! {
        () = observer.until_they_wait(2) => {}
        () = async { while !quick.is_finished() { tokio::task::yield_now().await } } => {}
    }
    let first = reader.changes(Some(start), 10).await.unwrap().entries;
    let last = first.last().map_or(start, |line| line.position);
    other.run("SELECT pg_advisory_unlock(1)").await;
    let slow = slow.await.unwrap().unwrap();
    quick.await.unwrap().unwrap();
    let then = reader.changes(Some(last), 10).await.unwrap().entries;
    !first.iter().chain(&then).any(|line| line.position.seq == slow)
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_are_in_the_order_of_commits() {
    // What everybody would do first: a sequence.
    const CLOCK: Guards = Guards::without_part(
        "UPDATE hallpass.clock SET seq = seq + n, nonce = ($1)[n::int] FROM counted WHERE n > 0 \
         RETURNING seq - n AS before",
        "SELECT nextval('public.numbers') - n AS before FROM counted WHERE n > 0",
    );
    assert!(an_overtaken_change_is_missed(CLOCK).await);
    assert!(!an_overtaken_change_is_missed(Guards::ON).await);
}

/// Whether an edit of a token as it was before it was revoked brings it back.
async fn an_edit_that_comes_late_revives(guards: Guards) -> bool {
    let store = open(&database(), guards).await;
    let token = token("alice", "ci");
    store.insert(&token, None, &event()).await.unwrap();
    let rename = edited(&token.record, |record| record.name = "renamed".into());
    let revoke = edited(&token.record, |record| record.revoked_at = Some(at(1)));
    store.update(&revoke, &event()).await.unwrap();
    let renamed = store.update(&rename, &event()).await;
    assert!(renamed.is_ok() || renamed.is_err_and(|error| error.is_conflict()));
    let found = store.get(token.record.id).await.unwrap().value.unwrap();
    found.record.revoked_at.is_none()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_what_has_changed_is_refused() {
    const COMPARISON: Guards =
        Guards::without_part(" WHERE id = $3 AND revision = $2", " WHERE id = $3");
    assert!(an_edit_that_comes_late_revives(COMPARISON).await);
    assert!(!an_edit_that_comes_late_revives(Guards::ON).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_returned_is_on_the_disk() {
    const ON_DISK: Guards =
        Guards::without_part("set_config('synchronous_commit', 'on', true)", "''");
    // Nobody waits for the disk, nor does anybody write to it a little later.
    let server = Postgres::start_with(&["wal_writer_delay=10s"]).unwrap();
    server.run("ALTER ROLE hallpass SET synchronous_commit = off").unwrap();
    let mut revoked = Vec::new();
    // Whoever writes to the disk takes along what was before: the guarded one comes first.
    for (database, guards) in [("guarded", Guards::ON), ("unguarded", ON_DISK)] {
        let url = server.create_database(database).unwrap();
        let token = token("alice", "ci");
        open(&url, Guards::ON).await.insert(&token, None, &event()).await.unwrap();
        let store = open(&url, guards).await;
        let revoke = edited(&token.record, |record| record.revoked_at = Some(at(1)));
        store.update(&revoke, &event()).await.unwrap();
        revoked.push((store, token.record.id));
    }
    server.kill().unwrap();
    server.start_again().unwrap();
    let mut are_undone = Vec::new();
    for (store, id) in revoked {
        let found = store.get(id).await.unwrap().value.unwrap();
        are_undone.push(found.record.revoked_at.is_none());
    }
    assert_eq!(are_undone, [false, true], "by the crash");
}
