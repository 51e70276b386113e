//! What the facade `metrics` is told: each counter and gauge moves as the guide says, and none names anybody.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hallpass::core::jiff::{SignedDuration, Timestamp};
use hallpass::core::store::StoreError;
use hallpass::prelude::*;
use hallpass::{
    CacheSettings, Cached, Caller, Hallpass, Issued, MemoryStore, NewToken, Owner, PolicyTable,
    Standing, TokenLayer, TokenUpdate,
};
use hallpass_testkit::{FaultyStore, ManualClock, Verb};
use http::{Request, Response, StatusCode};
use metrics::{
    Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit,
    set_default_local_recorder,
};
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use tower::{Layer as _, ServiceExt as _, service_fn};

/// The page that lists them all.
const GUIDE: &str = include_str!("../../../docs/stores.md");

type Store = FaultyStore<MemoryStore>;

/// What has moved since the last look, by `name{label=value}`.
struct Moved(Snapshotter);

impl Moved {
    fn of(recorder: &DebuggingRecorder) -> Self {
        Self(recorder.snapshotter())
    }

    fn look(&self) -> BTreeMap<String, f64> {
        let mut moved = BTreeMap::new();
        for (key, unit, description, value) in self.0.snapshot().into_vec() {
            let (name, labels) = key.key().clone().into_parts();
            let name = name.as_str();
            assert!(GUIDE.contains(&format!("`{name}`")), "{name} is not in the guide");
            assert!(description.is_some_and(|text| !text.is_empty()), "{name} is not described");
            let seconds = name.ends_with("_seconds");
            assert_eq!(unit, Some(if seconds { Unit::Seconds } else { Unit::Count }), "{name}");
            let labels: Vec<_> =
                labels.iter().map(|label| format!("{}={}", label.key(), label.value())).collect();
            for word in key.key().labels().map(metrics::Label::value) {
                assert!(GUIDE.contains(&format!("`{word}`")), "{name}: {word} is not in the guide");
            }
            let value = match value {
                DebugValue::Counter(count) => count as f64,
                DebugValue::Gauge(value) => value.into_inner(),
                DebugValue::Histogram(_) => panic!("{name} is a histogram"),
            };
            if value != 0.0 {
                moved.insert(format!("{name}{{{}}}", labels.join(",")), value);
            }
        }
        moved
    }

    /// By how much one has moved, apart from those of other crates' names.
    fn only(&self, prefix: &str) -> Vec<(String, f64)> {
        let moved = self.look().into_iter();
        moved.filter(|(name, _)| name.starts_with(prefix)).collect()
    }
}

fn one(name: &str) -> Vec<(String, f64)> {
    vec![(name.to_owned(), 1.0)]
}

fn alice() -> Caller {
    Caller::owner("alice")
}

async fn issue(passes: &Hallpass) -> Issued {
    passes.issue(&alice(), NewToken::named("ci").scope("read")).await.unwrap()
}

async fn check(passes: &Hallpass, token: &Issued) -> bool {
    passes.authenticate(token.token.reveal().as_bytes()).await.is_ok()
}

/// The status of a request behind the layer, and behind `require("write")` where it is for `/inner`.
async fn ask(layer: &TokenLayer, path: &str, token: &str) -> StatusCode {
    let inner = hallpass::require("write").layer(service_fn(async |_: Request<()>| {
        Ok::<_, Infallible>(Response::new(String::new()))
    }));
    let service = layer.layer(inner);
    let mut request = Request::get(path);
    if !token.is_empty() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    service.oneshot(request.body(()).unwrap()).await.unwrap().status()
}

#[tokio::test]
async fn checks_are_counted_by_outcome_and_refusals_by_reason() {
    let recorder = DebuggingRecorder::new();
    let _local = set_default_local_recorder(&recorder);
    let moved = Moved::of(&recorder);
    let (store, clock) = (Store::new(MemoryStore::new()), ManualClock::new());
    let owners = |owner: Owner| async move {
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(match owner.as_str() {
            "mallory" => Standing::Disabled,
            _ => Standing::Full,
        })
    };
    let passes = Hallpass::builder(store.clone()).clock(clock.clone()).owners(owners).build();
    let good = issue(&passes).await;
    assert!(check(&passes, &good).await);
    assert_eq!(moved.only("hallpass_"), one("hallpass_checks_total{outcome=accepted}"));

    let revoked = issue(&passes).await;
    passes.revoke(&alice(), revoked.record.id).await.unwrap();
    let deleted = issue(&passes).await;
    passes.delete(&alice(), deleted.record.id, None).await.unwrap();
    let short = passes.issue(&alice(), NewToken::named("short").expires("1h")).await.unwrap();
    clock.advance(SignedDuration::from_hours(2));
    let elsewhere = Hallpass::builder(store.clone()).clock(clock).build();
    let new = NewToken::named("mallory's");
    let disabled = elsewhere.issue(&Caller::owner("mallory"), new).await.unwrap();
    for (token, reason) in [
        (&revoked, "revoked"),
        (&deleted, "unknown"),
        (&short, "expired"),
        (&disabled, "owner_disabled"),
    ] {
        assert!(!check(&passes, token).await);
        let owed = [
            ("hallpass_checks_total{outcome=refused}".to_owned(), 1.0),
            (format!("hallpass_refusals_total{{reason={reason}}}"), 1.0),
        ];
        assert_eq!(moved.only("hallpass_"), owed);
    }
    assert!(passes.authenticate(b"hp_nonsense").await.is_err());
    assert_eq!(moved.only("hallpass_ref"), one("hallpass_refusals_total{reason=malformed}"));
    store.faults().on(Verb::Find).fail();
    assert!(!check(&passes, &good).await);
    assert_eq!(moved.only("hallpass_"), one("hallpass_checks_total{outcome=unavailable}"));
}

#[tokio::test]
async fn refused_requests_are_counted_by_what_they_are_told() {
    let recorder = DebuggingRecorder::new();
    let _local = set_default_local_recorder(&recorder);
    let moved = Moved::of(&recorder);
    let store = Store::new(MemoryStore::new());
    let passes = Hallpass::builder(store.clone()).build();
    let token = issue(&passes).await.token;
    let good = token.reveal();
    let plain = passes.layer();
    let table = PolicyTable::new().get("/table", "write");
    let table = passes.layer().policy(table);
    let tripwire = passes.layer().bearer_only().tripwire();
    let in_url = format!("/?session={good}");
    for (layer, path, token, status, kind) in [
        (&plain, "/", "", 401, "no_credential"),
        (&plain, "/?session", "", 400, "invalid_request"),
        (&plain, "/", "hp_nonsense", 401, "invalid_token"),
        (&plain, "/inner", good, 403, "insufficient_scope"),
        (&table, "/table", good, 403, "insufficient_scope"),
        (&table, "/nowhere", good, 403, "not_declared"),
        (&tripwire, &in_url, "", 400, "invalid_request"),
    ] {
        assert_eq!(ask(layer, path, token).await, status, "{path}");
        let owed = one(&format!("hallpass_refused_requests_total{{kind={kind}}}"));
        assert_eq!(moved.only("hallpass_refused_"), owed, "{path}");
    }
    assert_eq!(ask(&tripwire, &in_url, "").await, 400);
    assert_eq!(
        moved.only("hallpass_refusals_"),
        one("hallpass_refusals_total{reason=token_in_url}")
    );
    store.faults().on(Verb::Find).fail();
    assert_eq!(ask(&plain, "/", good).await, 503);
    let owed = one("hallpass_refused_requests_total{kind=unavailable}");
    assert_eq!(moved.only("hallpass_refused_"), owed);

    let unguarded = hallpass::require("write").layer(service_fn(async |_: Request<()>| {
        Ok::<_, Infallible>(Response::new(String::new()))
    }));
    let answer = unguarded.oneshot(Request::new(())).await.unwrap();
    assert_eq!(answer.status(), 500);
    let owed = one("hallpass_refused_requests_total{kind=misconfigured}");
    assert_eq!(moved.only("hallpass_refused_"), owed);
}

#[tokio::test]
async fn look_ups_are_counted_by_what_was_at_hand_and_loads_by_their_end() {
    let recorder = DebuggingRecorder::new();
    let _local = set_default_local_recorder(&recorder);
    let moved = Moved::of(&recorder);
    let store = Store::new(MemoryStore::new());
    let passes = Hallpass::builder(Cached::new(store.clone())).build();
    let token = issue(&passes).await;
    let owed = |result: &str, load: &str| {
        let mut owed = vec![(format!("hallpass_cache_lookups_total{{result={result}}}"), 1.0)];
        if !load.is_empty() {
            owed.insert(0, (format!("hallpass_cache_loads_total{{result={load}}}"), 1.0));
        }
        owed
    };
    let looked = || {
        let moved = moved.only("hallpass_cache_lo").into_iter();
        moved.filter(|(name, _)| !name.contains("in_flight")).collect::<Vec<_>>()
    };
    assert!(check(&passes, &token).await);
    assert_eq!(looked(), owed("miss", "found"));
    assert!(check(&passes, &token).await);
    assert_eq!(looked(), owed("hit", ""));
    // A change of this node's own overtakes what is cached; its own looks at the store are loads too.
    let update = TokenUpdate::new().description("nightly");
    passes.update(&alice(), token.record.id, update, None).await.unwrap();
    looked();
    assert!(check(&passes, &token).await);
    assert_eq!(looked(), owed("stale", "found"));

    passes.delete(&alice(), token.record.id, None).await.unwrap();
    looked();
    assert!(!check(&passes, &token).await);
    assert_eq!(looked(), owed("stale", "absent"));
    assert!(!check(&passes, &token).await);
    assert_eq!(looked(), owed("absent", ""));

    let other = issue(&passes).await;
    store.faults().on(Verb::Find).once().fail();
    assert!(!check(&passes, &other).await);
    assert_eq!(looked(), owed("miss", "failed"));
}

#[tokio::test(start_paused = true)]
async fn loads_that_are_under_way_too_late_or_too_many_are_seen() {
    let recorder = DebuggingRecorder::new();
    let _local = set_default_local_recorder(&recorder);
    let moved = Moved::of(&recorder);
    let store = Store::new(MemoryStore::new());
    let settings = CacheSettings::default().concurrent_loads(1);
    let passes = Hallpass::builder(Cached::with(store.clone(), settings)).build();
    let (slow, turned_away) = (issue(&passes).await, issue(&passes).await);
    let gate = store.faults().on(Verb::Find).stall();
    let waits = tokio::spawn({
        let passes = passes.clone();
        let text = slow.token.reveal().to_owned();
        async move { passes.authenticate(text.as_bytes()).await.is_ok() }
    });
    gate.arrived(1).await;
    assert_eq!(moved.only("hallpass_cache_loads_in"), one("hallpass_cache_loads_in_flight{}"));
    assert!(!check(&passes, &turned_away).await);
    let owed = one("hallpass_cache_loads_total{result=turned_away}");
    assert_eq!(moved.only("hallpass_cache_loads_total"), owed);
    // Nobody waits for longer than the deadline; the load itself goes on until its answer is of no use.
    assert!(!waits.await.unwrap());
    tokio::time::sleep(Duration::from_secs(3)).await;
    let owed = [
        ("hallpass_cache_loads_in_flight{}".to_owned(), -1.0),
        ("hallpass_cache_loads_total{result=late}".to_owned(), 1.0),
    ];
    assert_eq!(moved.only("hallpass_cache_loads"), owed);
}

/// Waits until one of these has moved, and answers by how much.
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
    tokio::time::timeout(Duration::from_secs(60), moves).await.expect("it moves")
}

#[tokio::test(start_paused = true)]
async fn changes_are_counted_by_what_they_were_found_by() {
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
    assert_eq!(applied, one("hallpass_cache_changes_applied_total{by=nudge}"));

    // A store whose nudges do not work: everything is found by looking.
    store.faults().on(Verb::Nudged).lose_answer();
    elsewhere.update(&alice(), token.record.id, update(), None).await.unwrap();
    until_moved(&moved, "hallpass_cache_changes").await;
    elsewhere.update(&alice(), token.record.id, update(), None).await.unwrap();
    let applied = until_moved(&moved, "hallpass_cache_changes").await;
    assert_eq!(applied, one("hallpass_cache_changes_applied_total{by=poll}"));
}

#[tokio::test(start_paused = true)]
async fn a_log_that_cannot_be_read_shows_in_the_leases_age_and_in_flushes() {
    let recorder = DebuggingRecorder::new();
    let _local = set_default_local_recorder(&recorder);
    let moved = Moved::of(&recorder);
    let shared = MemoryStore::new();
    let store = Store::new(shared.clone());
    let (node, elsewhere) =
        (Hallpass::builder(Cached::new(store.clone())).build(), Hallpass::builder(shared).build());
    store.faults().on(Verb::Changes).fail();
    let token = issue(&elsewhere).await;
    assert!(check(&node, &token).await);
    let none = until_moved(&moved, "hallpass_cache_lease_age_seconds").await[0].1;
    assert!(none.is_infinite(), "there never was one: {none}");
    store.faults().heal();
    while until_moved(&moved, "hallpass_cache_lease_age_seconds").await[0].1.is_infinite() {}
    assert_eq!(moved.only("hallpass_cache_flushes"), []);

    let corrupt = || StoreError::corrupt("a line of another version");
    store.faults().on(Verb::Changes).once().fail_with(corrupt);
    elsewhere.revoke(&alice(), token.record.id).await.unwrap();
    let flushed = until_moved(&moved, "hallpass_cache_flushes").await;
    assert_eq!(flushed, one("hallpass_cache_flushes_total{}"));
    assert!(!check(&node, &token).await);
}

#[tokio::test]
async fn uses_are_counted_when_they_are_written_and_when_they_are_lost() {
    let recorder = DebuggingRecorder::new();
    let _local = set_default_local_recorder(&recorder);
    let moved = Moved::of(&recorder);
    let store = Store::new(MemoryStore::new());
    let passes = Hallpass::builder(store.clone()).build();
    for _ in 0..3 {
        let token = issue(&passes).await;
        assert!(check(&passes, &token).await);
    }
    store.faults().on(Verb::Touch).once().fail();
    assert!(passes.flush_uses().await.is_err());
    assert_eq!(moved.only("hallpass_uses"), [], "they wait");
    assert_eq!(passes.flush_uses().await.unwrap(), 3);
    let owed = [("hallpass_uses_flushed_total{}".to_owned(), 3.0)];
    assert_eq!(moved.only("hallpass_uses"), owed);

    let token = issue(&passes).await;
    assert!(check(&passes, &token).await);
    store.faults().on(Verb::Touch).fail();
    assert!(passes.shutdown().await.is_err());
    assert_eq!(moved.only("hallpass_uses"), one("hallpass_uses_dropped_total{}"));
}

/// Counts how often it is asked for a counter or a gauge.
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
async fn a_hit_asks_the_recorder_for_nothing() {
    let recorder = DebuggingRecorder::new();
    let counting = Counting(&recorder, AtomicU64::new(0));
    let _local = set_default_local_recorder(&counting);
    let moved = Moved::of(&recorder);
    let passes = Hallpass::builder(Cached::new(MemoryStore::new())).build();
    let new = NewToken::named("ci").scope("write");
    let token = passes.issue(&alice(), new).await.unwrap().token;
    let layer = passes.layer();
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

#[tokio::test]
async fn no_label_names_anybody() {
    let recorder = DebuggingRecorder::new();
    let _local = set_default_local_recorder(&recorder);
    let store = Store::new(MemoryStore::new());
    let passes = Hallpass::builder(Cached::new(store.clone())).build();
    let canary = Caller::owner("canary-owner");
    let new = NewToken::named("canary-name").scope("canary-scope");
    let issued = passes.issue(&canary, new).await.unwrap();
    let text = issued.token.reveal();
    let table = PolicyTable::new().get("/{canary_parameter}", "canary-need:{canary_parameter}");
    let layer = passes.layer().policy(table).realm("canary-realm");
    for (path, token) in [
        ("/canary-path", text),
        ("/canary-path", "canary-token"),
        (&format!("/canary-path?session={text}"), ""),
        (&format!("/canary-path?session={text}"), text),
        ("/canary-path/below", text),
    ] {
        ask(&layer, path, token).await;
    }
    store.faults().on(Verb::Find).fail_with(|| StoreError::unavailable("canary-store"));
    ask(&layer, "/canary-path", &text.replace("hp_", "hq_")).await;
    passes.revoke(&canary, issued.record.id).await.unwrap_err();
    let told = format!("{:?}", recorder.snapshotter().snapshot()).to_lowercase();
    assert!(told.contains("hallpass_checks_total"), "{told}");
    let id = issued.record.id.to_string();
    for secret in ["canary", &id, &text[3..25].to_lowercase(), &text[25..].to_lowercase()] {
        assert!(!told.contains(secret), "{secret} is in {told}");
    }
}
