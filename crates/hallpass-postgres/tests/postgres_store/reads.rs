use hallpass_core::Revision;
use hallpass_core::store::{AuditQuery, ListQuery, TokenStore as _, TokenUse};
use hallpass_postgres::{PostgresSettings, PostgresStore};
use hallpass_servers::{Flow, Way};
use hallpass_testkit::conformance::samples::{at, edited, event, token};
use sqlx::postgres::PgPoolOptions;
use tokio::time::timeout;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn standby_is_never_read() {
    let primary = Postgres::start().unwrap();
    let (proxy, store) = through_proxy(&primary, primary.url()).await;
    let token = token("alice", "ci");
    store.insert(&token, None, &event()).await.unwrap();
    let standby = primary.standby().unwrap();
    standby.stop_following().unwrap();
    let revoke = edited(&token.record, |record| record.revoked_at = Some(at(1)));
    store.update(&revoke, &event()).await.unwrap();

    proxy.lead_to(standby.address());
    proxy.cut();
    // The standby shows the token as it was before it was revoked.
    assert!(store.get(token.record.id).await.unwrap_err().is_unavailable());
    assert!(store.changes(None, 0).await.unwrap_err().is_unavailable());
    assert!(store.ping().await.unwrap_err().is_unavailable());
    for filter in [owner("alice"), owner("nobody")] {
        let query = ListQuery { owner: Some(filter.clone()), ..ListQuery::everything(at(0), 10) };
        assert!(store.list(&query).await.unwrap_err().is_unavailable());
        let query = AuditQuery { owner: Some(filter), ..AuditQuery::newest(10) };
        assert!(store.audit(&query).await.unwrap_err().is_unavailable());
    }
    assert!(store.delete(token.record.id, None, &event()).await.unwrap_err().is_unavailable());
    proxy.lead_to(primary.address());
    let found =
        store.get(token.record.id).await.expect("the next connection must lead to the primary");
    assert_eq!(found.value.unwrap().record.revoked_at, Some(at(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn token_and_log_position_are_read_in_one_snapshot() {
    let url = database();
    let proxy = Proxy::to(Postgres::shared().address()).unwrap();
    let pool = PgPoolOptions::new().max_connections(1).test_before_acquire(false);
    let pool = pool.connect(&proxy.url(&url)).await.unwrap();
    let settings = PostgresSettings::default().lookup_deadline(Duration::from_secs(2));
    let store = PostgresStore::from_pool_with(&pool, settings).await.unwrap();
    let token = token("alice", "ci");
    store.insert(&token, None, &event()).await.unwrap();
    let elsewhere = open(&url).await;
    // The only connection has prepared the statement, and is idle again.
    store.get(token.record.id).await.unwrap();
    while pool.num_idle() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let mut observer = Stranger::connect(&url).await;
    observer.run("CREATE TABLE public.started AS SELECT clock_timestamp() AS at").await;
    proxy.set(Way::ToClient, Flow::Hold);
    let reading = tokio::spawn({
        let store = store.clone();
        async move { store.get(token.record.id).await }
    });
    observer
        .until(
            "count(*) > 0 FROM pg_stat_activity, public.started \
             WHERE datname = current_database() AND query LIKE 'SELECT clock.seq AS as_of%' \
             AND query_start > at AND state = 'idle' AND pid <> pg_backend_pid()",
        )
        .await;
    let revoke = edited(&token.record, |record| record.revoked_at = Some(at(1)));
    let revoked = elsewhere.update(&revoke, &event()).await.unwrap();
    proxy.set(Way::ToClient, Flow::Pass);
    let found = reading.await.unwrap().unwrap();
    assert_eq!(found.value.unwrap().record.revoked_at, None);
    assert!(found.as_of < revoked, "a record from before the revocation has a newer `as_of`");
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelled_call_leaves_no_transaction_open() {
    let url = database();
    let proxy = Proxy::to(Postgres::shared().address()).unwrap();
    let pool = PgPoolOptions::new().max_connections(1).test_before_acquire(false);
    let pool = pool.connect(&proxy.url(&url)).await.unwrap();
    let settings =
        PostgresSettings::default().lookup_deadline(Duration::from_secs(2)).notify(false);
    let (store, elsewhere) =
        (PostgresStore::from_pool_with(&pool, settings).await.unwrap(), open(&url).await);
    let mut observer = Stranger::connect(&url).await;
    for is_list in [false, true] {
        // The server ends a transaction that is idle for a second. On a busy machine it may do so
        // before the observer has seen it.
        let mut attempts = 0..20;
        loop {
            attempts.next().expect("the observer has never seen the open transaction");
            proxy.set(Way::ToClient, Flow::Hold);
            let calling = tokio::spawn({
                let (store, id) = (store.clone(), token("alice", "ci").record.id);
                async move {
                    if is_list {
                        drop(store.list(&ListQuery::everything(at(0), 10)).await);
                    } else {
                        let usage = TokenUse { id, revision: Revision::FIRST, at: at(0) };
                        drop(store.record_uses(&[usage]).await);
                    }
                }
            });
            let is_open = observer.until(
                "count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() \
                 AND query LIKE 'BEGIN%' AND state = 'idle in transaction'",
            );
            let is_open = timeout(Duration::from_secs(1), is_open).await.is_ok();
            calling.abort();
            let is_cancelled = calling.await.is_err();
            proxy.set(Way::ToClient, Flow::Pass);
            if is_open && is_cancelled {
                break;
            }
        }
        // This change uses the only connection. It must not be a part of the open transaction.
        let token = token("alice", "ci");
        store.insert(&token, None, &event()).await.unwrap();
        let found = elsewhere.get(token.record.id).await.unwrap().value;
        assert!(found.is_some(), "the change was reported as made, but is not committed");
    }
}
