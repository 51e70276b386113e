use hallpass_memory::MemoryStore;
use hallpass_testkit::Operation;

use super::{Guards, Node};

/// A check after the node was shut down, of a token that it has in its cache.
async fn is_used_after_the_end(guards: Guards) -> bool {
    let node = Node::new(&MemoryStore::new(), guards);
    let issued = node.issue().await;
    node.catch_up_by(&issued).await;
    node.hallpass.shutdown().await.unwrap();
    let checked = node.check(&issued).await;
    assert!(
        checked.as_ref().is_ok_and(|_| !guards.closing())
            || checked.is_err_and(|denied| denied.is_unavailable() && guards.closing()),
        "503, not 401"
    );
    !guards.closing()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_cache_lets_nobody_in() {
    assert!(is_used_after_the_end(Guards { closing: false, ..Guards::ON }).await);
    assert!(!is_used_after_the_end(Guards::ON).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_the_log_that_arrives_after_the_end_opens_nothing_again() {
    let node = Node::new(&MemoryStore::new(), Guards::ON);
    let issued = node.issue().await;
    node.catch_up_by(&issued).await;
    let gate = node.faults().on(Operation::Changes).once().stall();
    gate.arrived(1).await;
    // It will say that another history has begun.
    node.store.fail_over_to(MemoryStore::new());
    node.hallpass.shutdown().await.unwrap();
    gate.open();
    while std::sync::Arc::weak_count(&node.cache) > 0 {
        tokio::task::yield_now().await;
    }
    assert!(node.cache.lease.get().is_none());
    assert!(node.check(&issued).await.is_err_and(|denied| denied.is_unavailable()));
}
