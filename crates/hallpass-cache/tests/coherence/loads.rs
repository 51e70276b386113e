//! Loads: how many there are, who waits for them, and what becomes of their failures.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hallpass_core::store::TokenStore as _;
use hallpass_core::{Actor, Issued, NewToken, Owner, RegenerateOptions};
use hallpass_memory::MemoryStore;
use hallpass_testkit::Operation;

use super::{BOUND, Node, alice, event, settings};

#[tokio::test(flavor = "multi_thread")]
async fn many_misses_of_one_token_are_one_read() {
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
    assert_eq!(node.reads(), 1, "and then it is cached");
}

/// The first of two callers goes away while the store is asked. Answers how often it was asked in
/// all.
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
    assert!(accepted, "the one who stayed is answered");
    assert!(node.accepts(&issued).await);
    node.reads()
}

#[tokio::test(flavor = "multi_thread")]
async fn caller_that_goes_away_cancels_nobody_else() {
    assert_eq!(the_first_caller_goes_away().await, 1);
}

/// The store fails once. Answers whether the next check lets the token in.
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

/// The store has lost a question and will never answer it. Answers whether a later caller is let
/// in.
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
async fn stalled_store_is_503_within_the_deadline() {
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

/// Two loads run, as many as may, and one may wait. Further strangers get 503 at once; a token that
/// was seen before waits in any case, and so does everybody who needs a token that is loaded
/// already.
#[tokio::test(flavor = "multi_thread")]
async fn full_queue_refuses_strangers_only() {
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
    let refused = tokio::time::timeout(Duration::from_secs(5), node.check(&cold[3])).await;
    let refused = refused.expect("a full queue refuses at once");
    assert!(refused.is_err_and(|error| error.is_unavailable()), "503");
    assert!(node.accepts(&hit).await, "a hit waits for nobody");
    assert_eq!(gate.arrivals(), 2, "no more loads than allowed");
    gate.open();
    for check in waiting {
        assert!(check.await.unwrap().is_ok());
    }
    assert!(node.accepts(&cold[3]).await);
}

/// It is known that there is no such token, and then there is one. Answers whether it is found
/// before that knowledge runs out by itself.
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
async fn flood_of_unknown_tokens_evicts_no_good_one() {
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
async fn flood_of_wrong_secrets_is_a_few_reads() {
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
