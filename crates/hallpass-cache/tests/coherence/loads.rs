//! Loads: their number, the callers that wait for them, and their errors.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hallpass_core::store::TokenStore as _;
use hallpass_core::{
    Actor, Issued, KnownToken, NewToken, Owner, PresentedToken, RegenerateOptions,
};
use hallpass_memory::MemoryStore;
use hallpass_testkit::Operation;

use super::{BOUND, Node, alice, event, settings};

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_misses_of_one_token_cause_one_read() {
    let node = Arc::new(Node::new(&MemoryStore::new()));
    let issued = Arc::new(node.issue().await);
    let gate = node.faults().on(Operation::Get).hold();
    let waiting: Vec<_> = (0..256)
        .map(|_| {
            let (node, issued) = (Arc::clone(&node), Arc::clone(&issued));
            tokio::spawn(async move { node.accepts(&issued).await })
        })
        .collect();
    gate.arrived(1).await;
    gate.open();
    for check in waiting {
        assert!(check.await.unwrap());
    }
    assert_eq!(node.reads(), 1);
    assert!(node.accepts(&issued).await);
    assert_eq!(node.reads(), 1, "the token must be cached after the first load");
}

/// Drops the first of two callers during a query of the store. Returns the number of queries.
async fn the_first_caller_goes_away() -> u64 {
    let node = Arc::new(Node::new(&MemoryStore::new()));
    let issued = Arc::new(node.issue().await);
    let gate = node.faults().on(Operation::Get).hold();
    let check = || {
        let (node, issued) = (Arc::clone(&node), Arc::clone(&issued));
        tokio::spawn(async move { node.accepts(&issued).await })
    };
    let first = check();
    gate.arrived(1).await;
    let second = check();
    tokio::time::sleep(Duration::from_millis(20)).await;
    first.abort();
    let _ = first.await;
    gate.open();
    let accepted = second.await.unwrap();
    assert!(accepted, "the other caller must get a result");
    assert!(node.accepts(&issued).await);
    node.reads()
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_caller_does_not_cancel_the_load_of_others() {
    assert_eq!(the_first_caller_goes_away().await, 1);
}

/// Makes the store fail once. Returns whether the next check accepts the token.
async fn the_store_fails_once() -> bool {
    let node = Node::new(&MemoryStore::new());
    let issued = node.issue().await;
    node.faults().on(Operation::Get).once().fail();
    let failed = node.check(&issued).await;
    assert!(failed.is_err_and(|denied| denied.is_unavailable()));
    node.accepts(&issued).await
}

#[tokio::test(flavor = "multi_thread")]
async fn store_error_is_never_cached() {
    assert!(the_store_fails_once().await);
}

/// Makes the store lose a query, so that it never replies to it. Returns whether a later check
/// accepts the token.
async fn a_question_is_lost() -> bool {
    let settings = settings().load_deadline(BOUND);
    let node = Arc::new(Node::with(&MemoryStore::new(), settings));
    let issued = Arc::new(node.issue().await);
    let gate = node.faults().on(Operation::Get).once().stall();
    let first = {
        let (node, issued) = (Arc::clone(&node), Arc::clone(&issued));
        tokio::spawn(async move { node.accepts(&issued).await })
    };
    gate.arrived(1).await;
    tokio::time::sleep(BOUND / 2 + Duration::from_millis(50)).await;
    let later = node.accepts(&issued).await;
    let _ = first.await.unwrap();
    later
}

#[tokio::test(flavor = "multi_thread")]
async fn old_load_is_not_joined() {
    assert!(a_question_is_lost().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn check_fails_within_the_deadline_if_the_store_stalls() {
    let settings = settings().load_deadline(Duration::from_millis(50));
    let node = Node::with(&MemoryStore::new(), settings);
    let issued = node.issue().await;
    let gate = node.faults().on(Operation::Get).hold();
    assert!(node.check(&issued).await.is_err_and(|denied| denied.is_unavailable()));
    gate.open();
    while !node.accepts(&issued).await {
        tokio::task::yield_now().await;
    }
}

/// Two loads may run, and one may wait. Checks of further unknown tokens fail at once. The check of
/// a token that is cached waits in any case, and so does the check of a token that is being loaded.
#[tokio::test(flavor = "multi_thread")]
async fn full_queue_rejects_only_unknown_tokens() {
    let settings = settings()
        .concurrent_loads(2)
        .queued_loads(1)
        .load_deadline(Duration::from_secs(60))
        .max_staleness(Duration::from_secs(60));
    let node = Arc::new(Node::with(&MemoryStore::new(), settings));
    let (hit, known) = (
        node.issue().await,
        node.hallpass.issue(&Actor::owner("bob"), NewToken::named("ci")).await.unwrap(),
    );
    let mut cold = Vec::new();
    for _ in 0..4 {
        cold.push(Arc::new(node.issue().await));
    }
    node.catch_up_by(&hit).await;
    node.catch_up_by(&known).await;
    node.hallpass.owner_changed(&Actor::system("test"), &Owner::new("bob").unwrap()).await.unwrap();
    let gate = node.faults().on(Operation::Get).hold();
    let check = |issued: &Arc<Issued>| {
        let (node, issued) = (Arc::clone(&node), Arc::clone(issued));
        tokio::spawn(async move { node.check(&issued).await })
    };
    let mut waiting = vec![check(&cold[0]), check(&cold[1])];
    gate.arrived(2).await;
    waiting.extend([check(&cold[2]), check(&cold[2])]);
    tokio::time::sleep(Duration::from_millis(50)).await;
    waiting.push(check(&Arc::new(known)));
    let rejected = tokio::time::timeout(Duration::from_secs(5), node.check(&cold[3])).await;
    let rejected = rejected.expect("a full queue must reject immediately");
    assert!(rejected.is_err_and(|error| error.is_unavailable()), "503");
    assert!(node.accepts(&hit).await, "a cache hit must not wait");
    assert_eq!(gate.arrivals(), 2, "more loads run than allowed");
    gate.open();
    for check in waiting {
        assert!(check.await.unwrap().is_ok());
    }
    assert!(node.accepts(&cold[3]).await);
}

/// Issues a token that is cached as absent. Returns whether a check finds it before the cached
/// absence expires.
async fn is_found_once_it_exists() -> bool {
    let (here, elsewhere) = (MemoryStore::new(), MemoryStore::new());
    let node = Node::new(&here);
    let stranger = Node::new(&elsewhere).issue().await;
    assert!(!node.accepts(&stranger).await);
    node.catch_up().await;
    let stored = elsewhere.get(stranger.record.id).await.unwrap().value.unwrap();
    here.insert(&stored, None, &event()).await.unwrap();
    let inserted = Instant::now();
    while inserted.elapsed() < BOUND {
        if node.accepts(&stranger).await {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    false
}

#[tokio::test(flavor = "multi_thread")]
async fn token_is_found_as_soon_as_it_exists() {
    assert!(is_found_once_it_exists().await);
}

/// A load finds no token, and then the token is created. A check that starts after that joins the
/// load, whose reply has not arrived yet.
#[tokio::test(flavor = "multi_thread")]
async fn check_does_not_join_a_load_from_before_the_token_existed() {
    let node = Arc::new(Node::new(&MemoryStore::new()));
    let issued = Arc::new(Node::new(&MemoryStore::new()).issue().await);
    let (gate, early) = node.accepts_late(&issued).await;
    let (_, token) = PresentedToken::inspect(issued.token.reveal()).unwrap();
    let known = KnownToken { id: token.id(), digest: token.digest() };
    let system = Actor::system("test").on_behalf_of("alice");
    node.hallpass.ensure(&system, &known, NewToken::named("ci")).await.unwrap();
    let late = tokio::spawn({
        let (node, issued) = (Arc::clone(&node), Arc::clone(&issued));
        async move { node.accepts(&issued).await }
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    gate.open();
    let _ = early.await.unwrap();
    assert!(late.await.unwrap(), "the token exists");
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_token_is_read_once() {
    let (here, elsewhere) = (MemoryStore::new(), MemoryStore::new());
    let node = Node::new(&here);
    let strange = Node::new(&elsewhere).issue().await;
    for _ in 0..5 {
        assert!(!node.accepts(&strange).await);
    }
    assert_eq!(node.reads(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn flood_of_unknown_tokens_does_not_evict_valid_ones() {
    let settings = settings().negative_capacity(128).max_staleness(Duration::from_secs(60));
    let node = Node::with(&MemoryStore::new(), settings);
    let good = node.issue().await;
    assert!(node.accepts(&good).await);
    let elsewhere = Node::new(&MemoryStore::new());
    for _ in 0..40 {
        assert!(!node.accepts(&elsewhere.issue().await).await);
    }
    let reads = node.reads();
    assert!(node.accepts(&good).await);
    assert_eq!(node.reads(), reads);
}

#[tokio::test(flavor = "multi_thread")]
async fn flood_of_wrong_secrets_causes_few_reads() {
    let node = Arc::new(Node::new(&MemoryStore::new()));
    let old = Arc::new(node.issue().await);
    let new =
        node.hallpass.regenerate(&alice(), old.record.id, RegenerateOptions::new()).await.unwrap();
    assert!(node.accepts(&new).await);
    let before = node.reads();
    let gate = node.faults().on(Operation::Get).once().hold();
    let flood: Vec<_> = (0..200)
        .map(|_| {
            let (node, old) = (Arc::clone(&node), Arc::clone(&old));
            tokio::spawn(async move { node.check(&old).await })
        })
        .collect();
    gate.arrived(1).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    gate.open();
    for check in flood {
        assert!(check.await.unwrap().is_err_and(|denied| !denied.is_unavailable()), "401, not 503");
    }
    let reads = node.reads() - before;
    assert!(reads <= 20, "{reads} reads for 200 wrong secrets");
    assert!(node.accepts(&new).await);
}
