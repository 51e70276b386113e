//! Tests of waiting for changes of other stores.

use std::time::Duration;

use hallpass_core::store::TokenStore as _;
use hallpass_tests::tokens::owner;
use tokio::time::timeout;

use super::*;

/// A time limit far above the latency of a change, and below the five seconds after which the store
/// polls anyway.
const SOON: Duration = Duration::from_secs(4);

/// Returns the connections that wait for log entries.
fn listeners(server: &Redis) -> Vec<String> {
    let clients = run(server, &["CLIENT", "LIST"]);
    let waiting = clients.lines().filter(|client| client.contains("cmd=xread"));
    waiting
        .filter_map(|client| Some(client.strip_prefix("id=")?.split(' ').next()?.to_owned()))
        .collect()
}

async fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..2_000 {
        if let Some(seen) = look() {
            return seen;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("timed out waiting for the condition");
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_others_are_noticed_at_once() {
    let server = server();
    let (store, other) = (open(&server).await, open(&server).await);
    for _ in 0..20 {
        let seen = store.changes(None, 0).await.unwrap().head;
        let (heard, _) = futures::join!(timeout(SOON, store.wait_for_change(seen)), async {
            other.log_owner_change(&owner("alice"), &event()).await.unwrap();
        });
        heard.expect("the change was not reported");
    }
    // A caller that has not seen the latest change does not wait.
    let seen = store.changes(None, 0).await.unwrap().head;
    other.log_owner_change(&owner("alice"), &event()).await.unwrap();
    timeout(SOON, store.wait_for_change(seen)).await.expect("the change was not reported");
    // One connection serves all waiting callers, however many wait and give up.
    for _ in 0..100 {
        let seen = store.changes(None, 0).await.unwrap().head;
        assert!(timeout(Duration::from_micros(1), store.wait_for_change(seen)).await.is_err());
    }
    assert_eq!(listeners(&server).len(), 1);
    store.close();
    until(|| listeners(&server).is_empty().then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_ends_when_the_connection_is_lost() {
    let server = server();
    let (store, other) = (open(&server).await, open(&server).await);
    other.log_owner_change(&owner("alice"), &event()).await.unwrap();
    let seen = store.changes(None, 0).await.unwrap().head;
    // The first call returns without a change, because a store that starts to listen polls once.
    timeout(SOON, store.wait_for_change(seen))
        .await
        .expect("the store did not poll when it started to listen");
    for _ in 0..3 {
        let killed = until(|| listeners(&server).into_iter().next()).await;
        let (heard, _) = futures::join!(timeout(SOON, store.wait_for_change(seen)), async {
            run(&server, &["CLIENT", "KILL", "ID", &killed]);
        });
        heard.expect("the lost connection did not end the wait");
        until(|| listeners(&server).into_iter().find(|id| *id != killed)).await;
    }
    let seen = store.changes(None, 0).await.unwrap().head;
    let (heard, _) = futures::join!(timeout(SOON, store.wait_for_change(seen)), async {
        other.log_owner_change(&owner("alice"), &event()).await.unwrap();
    });
    heard.expect("changes are not reported after a reconnect");
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_works_again_after_a_restart() {
    let server = server();
    let (store, other) = (open(&server).await, open(&server).await);
    let seen = store.changes(None, 0).await.unwrap().head;
    timeout(SOON, store.wait_for_change(seen))
        .await
        .expect("the store did not poll when it started to listen");
    until(|| listeners(&server).into_iter().next()).await;
    let (heard, _) = futures::join!(timeout(SOON, store.wait_for_change(seen)), async {
        server.kill().unwrap();
    });
    heard.expect("the restart did not end the wait");
    server.start_again().unwrap();
    until(|| listeners(&server).into_iter().next()).await;
    let seen = store.changes(None, 0).await.unwrap().head;
    let (heard, _) = futures::join!(timeout(SOON, store.wait_for_change(seen)), async {
        other.log_owner_change(&owner("alice"), &event()).await.unwrap();
    });
    heard.expect("changes are not reported after the restart");
}
