//! Tests that a cache hit does not look metrics up.

use std::sync::atomic::{AtomicU64, Ordering};

use hallpass::prelude::*;
use hallpass::{Cached, Hallpass, MemoryStore, NewToken};
use metrics::{
    Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit,
    set_default_local_recorder,
};
use metrics_util::debugging::DebuggingRecorder;

use crate::{Moved, alice, ask};

/// A recorder that counts the registrations of counters and gauges.
struct Counting<'r>(&'r DebuggingRecorder, AtomicU64);

impl Counting<'_> {
    fn asked(&self) -> &DebuggingRecorder {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0
    }
}

impl Recorder for Counting<'_> {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.0.describe_counter(key, unit, description);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.0.describe_gauge(key, unit, description);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.0.describe_histogram(key, unit, description);
    }

    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        self.asked().register_counter(key, metadata)
    }

    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        self.asked().register_gauge(key, metadata)
    }

    fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
        self.asked().register_histogram(key, metadata)
    }
}

#[tokio::test]
async fn cache_hit_does_not_call_the_recorder() {
    let recorder = DebuggingRecorder::new();
    let counting = Counting(&recorder, AtomicU64::new(0));
    let _local = set_default_local_recorder(&counting);
    let moved = Moved::of(&recorder);
    let hallpass = Hallpass::builder(Cached::new(MemoryStore::new())).build();
    let new = NewToken::named("ci").scope("write");
    let token = hallpass.issue(&alice(), new).await.unwrap().token;
    let layer = hallpass.layer();
    for _ in 0..2 {
        assert_eq!(ask(&layer, "/", token.reveal()).await, 200);
    }
    moved.look();
    let before = counting.1.load(Ordering::Relaxed);
    for _ in 0..100 {
        assert_eq!(ask(&layer, "/", token.reveal()).await, 200);
    }
    assert_eq!(counting.1.load(Ordering::Relaxed), before);
    let hits = moved.look();
    assert_eq!(hits["hallpass_checks_total{outcome=accepted}"], 100.0);
    assert_eq!(hits["hallpass_cache_lookups_total{result=hit}"], 100.0);
}
