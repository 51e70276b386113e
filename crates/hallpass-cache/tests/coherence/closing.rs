use hallpass_core::AuthError;
use hallpass_memory::MemoryStore;
use hallpass_testkit::Operation;

use super::Node;

#[tokio::test(flavor = "multi_thread")]
async fn closed_cache_accepts_no_token() {
    let node = Node::new(&MemoryStore::new());
    let issued = node.issue().await;
    node.catch_up_by(&issued).await;
    node.hallpass.shutdown().await.unwrap();
    let checked = node.check(&issued).await;
    assert!(checked.as_ref().is_err_and(AuthError::is_unavailable), "503, not 401: {checked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn late_log_batch_does_not_reopen_a_closed_cache() {
    let node = Node::new(&MemoryStore::new());
    let issued = node.issue().await;
    node.catch_up_by(&issued).await;
    let gate = node.faults().on(Operation::Changes).once().stall();
    gate.arrived(1).await;
    // The answer shows another history.
    node.store.fail_over_to(MemoryStore::new());
    node.hallpass.shutdown().await.unwrap();
    gate.open();
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    assert!(node.check(&issued).await.is_err_and(|denied| denied.is_unavailable()));
}
