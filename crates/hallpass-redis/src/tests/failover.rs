use hallpass_core::store::{StoreError, TokenStore as _};

use super::*;

/// Whether the log of a new primary, which has not the old one's last change, passes for the old one's.
async fn another_history_passes_for_the_same(guards: Guards) -> bool {
    let old = server();
    let store = open(old.url(), guards).await;
    store.announce(&owner("alice")).await.unwrap();
    let new = old.replica().unwrap();
    new.promote().unwrap();
    store.announce(&owner("lost")).await.unwrap();
    let seen = store.changes(None, 0).await.unwrap().head;

    let store = open(new.url(), guards).await;
    assert_eq!(store.announce(&owner("next")).await.unwrap(), seen.seq);
    let heard = store.changes(Some(seen), 10).await.unwrap().lines;
    assert_eq!(heard[0].at.seq, seen.seq);
    heard[0].at == seen
}

#[tokio::test(flavor = "multi_thread")]
async fn another_history_is_known_by_its_nonces() {
    const NONCES: Guards = Guards::without_line(
        "local function log(nonce, what, count)",
        "local function log(_, what, count) local nonce = '0'",
    );
    assert!(another_history_passes_for_the_same(NONCES).await);
    assert!(!another_history_passes_for_the_same(Guards::ON).await);
}

/// Whether a revocation that was said to be done is undone by a failover, though one replica was to have it.
async fn a_failover_undoes_it(guards: Guards) -> bool {
    let old = server();
    let settings = settings(guards).wait_replicas(1);
    let new = old.replica().unwrap();
    let store = RedisStore::connect_with(old.url(), settings).await.unwrap();
    let token = token("alice", "ci");
    store.insert(&token, None).await.unwrap();
    // There is nobody.
    run(&new, &["REPLICAOF", "127.0.0.1", "1"]);
    let revoke = edited(&token.record, |record| record.revoked_at = Some(at(1)));
    let revoked = store.change(&revoke).await;
    assert!(revoked.is_ok() || revoked.as_ref().is_err_and(StoreError::is_outcome_unknown));
    old.kill().unwrap();
    new.promote().unwrap();
    let found = open(new.url(), guards).await.find(token.record.id).await.unwrap();
    assert_eq!(found.value.unwrap().record.revoked_at, None);
    revoked.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_replica_has_is_not_said_to_be_done() {
    let (without, with) = tokio::join!(
        a_failover_undoes_it(Guards::without(Guard::Confirmed)),
        a_failover_undoes_it(Guards::ON)
    );
    assert!(without && !with);
}
