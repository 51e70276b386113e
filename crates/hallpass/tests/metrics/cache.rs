//! Tests of the metrics of a cache.

use std::time::Duration;

use hallpass::deps::jiff::Timestamp;
use hallpass::store::StoreError;
use hallpass::{CacheSettings, Cached, Hallpass, MemoryStore, TokenUpdate};
use hallpass_testkit::Operation;
use metrics::set_default_local_recorder;
use metrics_util::debugging::DebuggingRecorder;

use crate::{Moved, Store, alice, check, issue, one};

#[tokio::test]
async fn lookups_are_counted_by_result_and_loads_by_outcome() {
    let recorder = DebuggingRecorder::new();
    let _local = set_default_local_recorder(&recorder);
    let moved = Moved::of(&recorder);
    let store = Store::new(MemoryStore::new());
    let hallpass = Hallpass::builder(Cached::new(store.clone())).build();
    let token = issue(&hallpass).await;
    let expected = |result: &str, load: &str| {
        let mut expected = vec![(format!("hallpass_cache_lookups_total{{result={result}}}"), 1.0)];
        if !load.is_empty() {
            expected.insert(0, (format!("hallpass_cache_loads_total{{result={load}}}"), 1.0));
        }
        expected
    };
    let looked = || {
        let moved = moved.only("hallpass_cache_lo").into_iter();
        moved.filter(|(name, _)| !name.contains("in_flight")).collect::<Vec<_>>()
    };
    assert!(check(&hallpass, &token).await);
    assert_eq!(looked(), expected("miss", "found"));
    assert!(check(&hallpass, &token).await);
    assert_eq!(looked(), expected("hit", ""));
    // The node's own change makes the cached record stale. Reads by the change itself count as
    // loads.
    let update = TokenUpdate::new().description("nightly");
    hallpass.update(&alice(), token.record.id, update, None).await.unwrap();
    looked();
    assert!(check(&hallpass, &token).await);
    assert_eq!(looked(), expected("stale", "found"));

    hallpass.delete(&alice(), token.record.id, None).await.unwrap();
    looked();
    assert!(!check(&hallpass, &token).await);
    assert_eq!(looked(), expected("stale", "absent"));
    assert!(!check(&hallpass, &token).await);
    assert_eq!(looked(), expected("absent", ""));

    let other = issue(&hallpass).await;
    store.faults().on(Operation::Get).once().fail();
    assert!(!check(&hallpass, &other).await);
    assert_eq!(looked(), expected("miss", "failed"));
}

#[tokio::test(start_paused = true)]
async fn pending_late_and_rejected_loads_are_counted() {
    let recorder = DebuggingRecorder::new();
    let _local = set_default_local_recorder(&recorder);
    let moved = Moved::of(&recorder);
    let store = Store::new(MemoryStore::new());
    let settings = CacheSettings::default().concurrent_loads(1).queued_loads(0);
    let hallpass = Hallpass::builder(Cached::with_settings(store.clone(), settings)).build();
    let (slow, rejected) = (issue(&hallpass).await, issue(&hallpass).await);
    let gate = store.faults().on(Operation::Get).stall();
    let waits = tokio::spawn({
        let hallpass = hallpass.clone();
        let text = slow.token.reveal().to_owned();
        async move { hallpass.authenticate(text.as_bytes()).await.is_ok() }
    });
    gate.arrived(1).await;
    assert_eq!(moved.only("hallpass_cache_loads_in"), one("hallpass_cache_loads_in_flight{}"));
    assert!(!check(&hallpass, &rejected).await);
    let expected = one("hallpass_cache_loads_total{result=rejected}");
    assert_eq!(moved.only("hallpass_cache_loads_total"), expected);
    // The caller waits until the deadline. The load continues until its result would be too old.
    assert!(!waits.await.unwrap());
    tokio::time::sleep(Duration::from_secs(3)).await;
    let expected = [
        ("hallpass_cache_loads_in_flight{}".to_owned(), -1.0),
        ("hallpass_cache_loads_total{result=late}".to_owned(), 1.0),
    ];
    assert_eq!(moved.only("hallpass_cache_loads"), expected);
}

/// Waits until one of these metrics has changed, and returns the changes.
async fn until_moved(moved: &Moved, prefix: &str) -> Vec<(String, f64)> {
    let moves = async {
        loop {
            let found = moved.only(prefix);
            if !found.is_empty() {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), moves)
        .await
        .expect("the metric has not changed in time")
}

#[tokio::test(start_paused = true)]
async fn uses_of_stale_records_are_counted_separately() {
    let recorder = DebuggingRecorder::new();
    let _local = set_default_local_recorder(&recorder);
    let moved = Moved::of(&recorder);
    let store = Store::new(MemoryStore::new());
    let settings = CacheSettings::default()
        .max_staleness(Duration::from_millis(10))
        .stale_if_error(Duration::from_secs(60));
    let node = Hallpass::builder(Cached::with_settings(store.clone(), settings)).build();
    let token = issue(&node).await;
    assert!(check(&node, &token).await);
    moved.look();
    store.faults().on(Operation::ALL).fail();
    // Both clocks advance: the paused clock of tokio, and the clock of the machine.
    tokio::time::advance(Duration::from_millis(100)).await;
    std::thread::sleep(Duration::from_millis(100));
    assert!(check(&node, &token).await);
    let looked = moved.only("hallpass_cache_lookups");
    assert!(
        looked.contains(&("hallpass_cache_lookups_total{result=stale_if_error}".to_owned(), 1.0)),
        "{looked:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn changes_are_counted_by_how_they_were_found() {
    let recorder = DebuggingRecorder::new();
    let _local = set_default_local_recorder(&recorder);
    let moved = Moved::of(&recorder);
    let shared = MemoryStore::new();
    let store = Store::new(shared.clone());
    let (node, elsewhere) =
        (Hallpass::builder(Cached::new(store.clone())).build(), Hallpass::builder(shared).build());
    let token = issue(&elsewhere).await;
    assert!(check(&node, &token).await);
    let age = until_moved(&moved, "hallpass_cache_lease_age_seconds").await[0].1;
    assert!(age > 0.0 && age < 2.0, "{age}");
    let update = || TokenUpdate::new().description(Timestamp::now().to_string());
    elsewhere.update(&alice(), token.record.id, update(), None).await.unwrap();
    let applied = until_moved(&moved, "hallpass_cache_changes").await;
    assert_eq!(applied, one("hallpass_cache_changes_applied_total{by=push}"));

    // The store loses its notifications, so the node finds changes only by polling.
    store.faults().on(Operation::WaitForChange).lose_answer();
    elsewhere.update(&alice(), token.record.id, update(), None).await.unwrap();
    until_moved(&moved, "hallpass_cache_changes").await;
    elsewhere.update(&alice(), token.record.id, update(), None).await.unwrap();
    let applied = until_moved(&moved, "hallpass_cache_changes").await;
    assert_eq!(applied, one("hallpass_cache_changes_applied_total{by=poll}"));
}

#[tokio::test(start_paused = true)]
async fn unreadable_log_shows_in_lease_age_and_flushes() {
    let recorder = DebuggingRecorder::new();
    let _local = set_default_local_recorder(&recorder);
    let moved = Moved::of(&recorder);
    let shared = MemoryStore::new();
    let store = Store::new(shared.clone());
    let (node, elsewhere) =
        (Hallpass::builder(Cached::new(store.clone())).build(), Hallpass::builder(shared).build());
    store.faults().on(Operation::Changes).fail();
    let token = issue(&elsewhere).await;
    assert!(check(&node, &token).await);
    let none = until_moved(&moved, "hallpass_cache_lease_age_seconds").await[0].1;
    assert!(none.is_infinite(), "the age must be infinite before the first lease: {none}");
    store.faults().heal();
    while until_moved(&moved, "hallpass_cache_lease_age_seconds").await[0].1.is_infinite() {}
    assert_eq!(moved.only("hallpass_cache_flushes"), []);

    let corrupt = || StoreError::corrupt("a line of another version");
    store.faults().on(Operation::Changes).once().fail_with(corrupt);
    elsewhere.revoke(&alice(), token.record.id).await.unwrap();
    let flushed = until_moved(&moved, "hallpass_cache_flushes").await;
    assert_eq!(flushed, one("hallpass_cache_flushes_total{}"));
    assert!(!check(&node, &token).await);
}
