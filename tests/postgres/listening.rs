//! Tests of notifications. They make a node poll immediately. Correctness does not depend on them.

use std::time::Duration;

use hallpass_core::store::{LogPosition, TokenStore as _};
use hallpass_postgres::{PostgresSettings, PostgresStore};
use hallpass_tests::tokens::{event, owner};
use sqlx::postgres::PgListener;
use tokio::time::{Instant, sleep, timeout};

use super::{ask, database, is_so, open, run, stranger, until};

const SOON: Duration = Duration::from_secs(10);

/// Returns whether a session of this database listens.
const LISTENING: &str = "SELECT count(*) > 0 FROM pg_stat_activity \
     WHERE datname = current_database() AND query ILIKE 'LISTEN%'";

/// Ends these sessions, and returns how many there were.
const END_LISTENERS: &str = "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity \
     WHERE datname = current_database() AND query ILIKE 'LISTEN%'";

async fn head(store: &PostgresStore) -> LogPosition {
    store.changes(None, 0).await.expect("cannot read the head of the log").head
}

/// Waits until the store listens. When it starts to listen, it polls once by itself.
async fn listening(url: &str, store: &PostgresStore) -> LogPosition {
    let seen = head(store).await;
    timeout(SOON, store.wait_for_change(seen))
        .await
        .expect("the store did not poll when it started to listen");
    until(&mut stranger(url).await, LISTENING).await;
    head(store).await
}

#[tokio::test]
async fn change_of_another_node_wakes_up_waiters_with_a_number() {
    let url = database();
    let (one, other) = (open(&url).await, open(&url).await);
    let seen = listening(&url, &one).await;
    let mut anybody = PgListener::connect(&url).await.unwrap();
    anybody.listen("hallpass").await.unwrap();
    assert!(
        timeout(Duration::from_millis(200), one.wait_for_change(seen)).await.is_err(),
        "`wait_for_change` returned without a change"
    );

    let waiting = tokio::spawn({
        let one = one.clone();
        async move { one.wait_for_change(seen).await }
    });
    let seq = other.log_owner_change(&owner("alice"), &event()).await.unwrap();
    timeout(SOON, waiting).await.expect("a notification").unwrap();
    let notification = timeout(SOON, anybody.recv()).await.unwrap().unwrap();
    assert_eq!(notification.payload(), seq.get().to_string());
    // A change is reported once, and not again to a caller that has already seen it.
    assert!(
        timeout(Duration::from_millis(200), one.wait_for_change(head(&one).await)).await.is_err()
    );
}

#[tokio::test]
async fn own_change_wakes_up_waiters_without_the_server() {
    let url = database();
    let store = PostgresStore::connect_with(
        &url,
        PostgresSettings::default().disable_listen().notify(false),
    )
    .await
    .unwrap();
    let seen = head(&store).await;
    store.log_owner_change(&owner("alice"), &event()).await.unwrap();
    timeout(SOON, store.wait_for_change(seen)).await.expect("a notification");
    assert_eq!(
        ask(
            &url,
            "SELECT count(*) FROM pg_stat_activity WHERE query ILIKE '%LISTEN%' \
                          AND pid <> pg_backend_pid() AND datname = current_database()"
        ),
        "0"
    );
}

#[tokio::test]
async fn change_made_while_the_listener_was_away_wakes_up_waiters() {
    let url = database();
    let (one, other) = (open(&url).await, open(&url).await);
    let seen = listening(&url, &one).await;
    let waiting = tokio::spawn({
        let one = one.clone();
        async move { one.wait_for_change(seen).await }
    });
    let mut stranger = stranger(&url).await;
    run(&mut stranger, END_LISTENERS).await;
    timeout(SOON, waiting).await.expect("the lost connection did not cause a poll").unwrap();
    let seen = head(&one).await;
    other.log_owner_change(&owner("alice"), &event()).await.unwrap();
    // This must hold whether the store has reconnected by now or not.
    timeout(SOON, one.wait_for_change(seen)).await.expect("the change was not reported");
    let seen = head(&one).await;
    until(&mut stranger, LISTENING).await;
    other.log_owner_change(&owner("alice"), &event()).await.unwrap();
    timeout(SOON, one.wait_for_change(seen)).await.expect("the store does not listen again");
}

#[tokio::test]
async fn listener_that_is_ended_again_and_again_reconnects_less_often() {
    let url = database();
    let store = open(&url).await;
    listening(&url, &store).await;
    let (started, mut ended) = (Instant::now(), 0);
    while started.elapsed() < Duration::from_secs(3) {
        ended += ask(&url, END_LISTENERS).parse::<u32>().expect("a number");
        sleep(Duration::from_millis(10)).await;
    }
    // The pauses are 0.1, 0.2, 0.4, 0.8 and 1.6 seconds. Each lost connection is logged.
    assert!(ended <= 6, "the store has connected {ended} times");
}

#[tokio::test]
async fn failed_notification_undoes_no_change() {
    let url = database();
    open(&url).await.close().await;
    // This role may not notify. A full notification queue fails at the same place.
    ask(
        &url,
        "CREATE ROLE silent LOGIN; GRANT USAGE ON SCHEMA hallpass TO silent; \
         GRANT ALL ON ALL TABLES IN SCHEMA hallpass TO silent; \
         REVOKE EXECUTE ON FUNCTION pg_notify FROM PUBLIC",
    );
    let store = open(&url.replace("//postgres@", "//silent@")).await;
    for number in 1..=20 {
        let seq = store
            .log_owner_change(&owner("alice"), &event())
            .await
            .expect("the change was not made");
        assert_eq!(seq.get(), number);
    }
    assert_eq!(ask(&url, "SELECT count(*) FROM hallpass.changes"), "20");
}

#[tokio::test]
async fn closed_or_dropped_store_stops_listening() {
    let url = database();
    let mut stranger = stranger(&url).await;
    let nobody = "SELECT count(*) = 0 FROM pg_stat_activity \
                  WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let closed = open(&url).await;
    listening(&url, &closed).await;
    closed.close().await;
    until(&mut stranger, nobody).await;
    assert!(closed.ping().await.unwrap_err().is_unavailable());
    assert!(closed.log_owner_change(&owner("alice"), &event()).await.unwrap_err().is_unavailable());

    // A store that is closed before the first call waits must not start to listen later.
    let unused = open(&url).await;
    let seen = head(&unused).await;
    unused.close().await;
    let waiting = timeout(Duration::from_millis(500), unused.wait_for_change(seen));
    assert!(waiting.await.is_err());
    assert!(is_so(&mut stranger, nobody).await);

    let dropped = open(&url).await;
    listening(&url, &dropped).await;
    drop(dropped);
    until(&mut stranger, nobody).await;
}
