use hallpass_core::store::{Change, ChangeKind, StoreError, TokenStore as _};

use super::*;

/// Whether an edit of a token as it was before it was revoked brings it back.
async fn an_edit_that_comes_late_revives(guards: Guards) -> bool {
    let server = server();
    let store = open(server.url(), guards).await;
    let token = token("alice", "ci");
    store.insert(&token, None).await.unwrap();
    let rename = edited(&token.record, |record| record.name = "renamed".into());
    let revoke = edited(&token.record, |record| record.revoked_at = Some(at(1)));
    store.change(&revoke).await.unwrap();
    let renamed = store.change(&rename).await;
    assert!(renamed.is_ok() || renamed.is_err_and(|e| e.is_conflict()));
    let found = store.find(token.record.id).await.unwrap().value.unwrap();
    found.record.revoked_at.is_none()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_what_has_changed_is_refused() {
    const COMPARISON: Guards = Guards::without_line("old.revision ~= expected", "false");
    assert!(an_edit_that_comes_late_revives(COMPARISON).await);
    assert!(!an_edit_that_comes_late_revives(Guards::ON).await);
}

/// Whether a token stays good that somebody wants to revoke while the server's memory is full.
async fn outlives_its_revocation(guards: Guards) -> bool {
    let server = server();
    let store = open(server.url(), guards).await;
    let token = token("alice", "ci");
    store.insert(&token, None).await.unwrap();
    // Less than is used already.
    run(&server, &["CONFIG", "SET", "maxmemory", "1"]);
    let revoke = edited(&token.record, |record| record.revoked_at = Some(at(1)));
    let revoked = store.change(&Change { kind: ChangeKind::Revoked, ..revoke }).await;
    let gone = store.delete_owner(&owner("bob")).await;
    assert_eq!(revoked.is_ok(), gone.is_ok(), "whatever takes rights away");
    assert!(revoked.is_ok() || revoked.is_err_and(|error| error.is_read_only()));
    let found = store.find(token.record.id).await.unwrap().value.unwrap();
    found.record.revoked_at.is_none()
}

#[tokio::test(flavor = "multi_thread")]
async fn full_memory_keeps_nobody_from_revoking() {
    const ALLOWED: Guards = Guards::without_line("flags=allow-oom", "flags=");
    assert!(outlives_its_revocation(ALLOWED).await);
    assert!(!outlives_its_revocation(Guards::ON).await);
}

/// Whether a revocation is said to be done that no other node will ever hear of, on a server whose clock was set back.
async fn is_revoked_in_silence(guards: Guards) -> bool {
    let server = server();
    let store = open(server.url(), guards).await;
    let token = token("alice", "ci");
    store.insert(&token, None).await.unwrap();
    store.announce(&owner("bob")).await.unwrap();
    let seen = store.changes(None, 0).await.unwrap().head;
    run(&server, &["SET", "{hallpass}c", "1"]);
    let revoke = edited(&token.record, |record| record.revoked_at = Some(at(1)));
    let revoked = store.change(&revoke).await;
    let heard = store.changes(Some(seen), 10).await.unwrap().lines;
    assert_eq!(heard.len(), 1, "there is what was there before");
    assert!(revoked.is_ok() || revoked.as_ref().is_err_and(StoreError::is_corrupt));
    let found = store.find(token.record.id).await.unwrap().value.unwrap();
    assert_eq!(found.record.revoked_at.is_some(), revoked.is_ok());
    revoked.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_logged_is_not_done() {
    const LOGGED: Guards =
        Guards::without_line("type(added) == 'table' and added.err", "added == nil");
    assert!(is_revoked_in_silence(LOGGED).await);
    assert!(!is_revoked_in_silence(Guards::ON).await);
}
