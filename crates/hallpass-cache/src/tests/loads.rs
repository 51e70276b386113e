use std::sync::Arc;
use std::time::Duration;

use hallpass_core::{NewToken, Regenerate};
use hallpass_memory::MemoryStore;

use super::{Guards, Node, alice, settings};
use crate::CacheSettings;

#[tokio::test(flavor = "multi_thread")]
async fn many_misses_of_one_token_are_one_read() {
    let node = Arc::new(Node::new(&MemoryStore::new(), Guards::ON));
    let issued = Arc::new(node.issue().await);
    node.gate.shut();
    let waiting: Vec<_> = (0..256)
        .map(|_| {
            let (node, issued) = (Arc::clone(&node), Arc::clone(&issued));
            tokio::spawn(async move { node.accepts(&issued).await })
        })
        .collect();
    node.gate.until_read(1).await;
    node.gate.open();
    for check in waiting {
        assert!(check.await.unwrap());
    }
    assert_eq!(node.gate.reads(), 1);
    assert!(node.accepts(&issued).await);
    assert_eq!(node.gate.reads(), 1, "and then it is cached");
}

/// The first of two callers goes away while the store is asked. Answers how often it was asked in all.
async fn the_first_caller_goes_away(guards: Guards) -> usize {
    let node = Arc::new(Node::new(&MemoryStore::new(), guards));
    let issued = Arc::new(node.issue().await);
    node.gate.shut();
    let check = || {
        let (node, issued) = (Arc::clone(&node), Arc::clone(&issued));
        tokio::spawn(async move { node.accepts(&issued).await })
    };
    let first = check();
    node.gate.until_read(1).await;
    let second = check();
    tokio::time::sleep(Duration::from_millis(20)).await;
    first.abort();
    let _ = first.await;
    node.gate.open();
    let accepted = second.await.unwrap();
    assert!(accepted || !guards.detached_loads, "the one who stayed is answered");
    assert!(node.accepts(&issued).await);
    node.gate.reads()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_goes_away_cancels_nobody_else() {
    assert!(the_first_caller_goes_away(Guards { detached_loads: false, ..Guards::ON }).await > 1);
    assert_eq!(the_first_caller_goes_away(Guards::ON).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_is_never_cached() {
    let node = Node::new(&MemoryStore::new(), Guards::ON);
    let issued = node.issue().await;
    node.gate.set_broken(true);
    assert!(node.check(&issued).await.is_err_and(|denied| denied.is_unavailable()));
    node.gate.set_broken(false);
    assert!(node.accepts(&issued).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_stalls_is_503_within_the_deadline_and_works_again_after_it() {
    let settings = settings(Guards::ON).load_deadline(Duration::from_millis(50));
    let node = Node::with(&MemoryStore::new(), settings);
    let issued = node.issue().await;
    node.gate.shut();
    assert!(node.check(&issued).await.is_err_and(|denied| denied.is_unavailable()));
    node.gate.open();
    while !node.accepts(&issued).await {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_loads_are_503_and_hits_go_on() {
    let settings: CacheSettings = settings(Guards::ON).concurrent_loads(2);
    let node = Arc::new(Node::with(&MemoryStore::new(), settings));
    let warm = node.issue().await;
    assert!(node.accepts(&warm).await);
    let cold = [node.issue().await, node.issue().await, node.issue().await].map(Arc::new);
    node.gate.shut();
    let waiting: Vec<_> = cold[..2]
        .iter()
        .map(|issued| {
            let (node, issued) = (Arc::clone(&node), Arc::clone(issued));
            tokio::spawn(async move { node.accepts(&issued).await })
        })
        .collect();
    node.gate.until_read(3).await;
    assert!(node.check(&cold[2]).await.is_err_and(|denied| denied.is_unavailable()));
    assert!(node.accepts(&warm).await, "a hit waits for nobody");
    node.gate.open();
    for check in waiting {
        assert!(check.await.unwrap());
    }
    assert!(node.accepts(&cold[2]).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_token_is_asked_for_once_and_found_as_soon_as_it_exists() {
    let (here, elsewhere) = (MemoryStore::new(), MemoryStore::new());
    let node = Node::new(&here, Guards::ON);
    let strange = Node::new(&elsewhere, Guards::ON).issue().await;
    for _ in 0..5 {
        assert!(!node.accepts(&strange).await);
    }
    assert_eq!(node.gate.reads(), 1);
    let issued = node.passes.issue(&alice(), NewToken::named("new")).await.unwrap();
    assert!(node.accepts(&issued).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_unknown_tokens_evicts_no_good_one() {
    let settings = settings(Guards::ON).unknown_tokens(128).bound(Duration::from_secs(60));
    let node = Node::with(&MemoryStore::new(), settings);
    let good = node.issue().await;
    assert!(node.accepts(&good).await);
    let elsewhere = Node::new(&MemoryStore::new(), Guards::ON);
    for _ in 0..40 {
        assert!(!node.accepts(&elsewhere.issue().await).await);
    }
    let reads = node.gate.reads();
    assert!(node.accepts(&good).await);
    assert_eq!(node.gate.reads(), reads);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_wrong_secrets_is_a_few_reads() {
    let node = Arc::new(Node::new(&MemoryStore::new(), Guards::ON));
    let old = Arc::new(node.issue().await);
    let new = node.passes.regenerate(&alice(), old.record.id, Regenerate::new()).await.unwrap();
    assert!(node.accepts(&new).await);
    let before = node.gate.reads();
    node.gate.hold_one();
    let flood: Vec<_> = (0..200)
        .map(|_| {
            let (node, old) = (Arc::clone(&node), Arc::clone(&old));
            tokio::spawn(async move { node.check(&old).await })
        })
        .collect();
    node.gate.until_read(before + 1).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    node.gate.open();
    for check in flood {
        assert!(check.await.unwrap().is_err_and(|denied| !denied.is_unavailable()), "401, not 503");
    }
    let reads = node.gate.reads() - before;
    assert!(reads <= 20, "{reads} reads for 200 wrong secrets");
    assert!(node.accepts(&new).await);
}
