//! Tests with damaged or deleted data in the store.

use hallpass_tests::late::Late;
use hallpass_tests::nodes::{alice, owner};

use crate::backend::Backend;
use crate::node::{Node, settings};
use crate::on_each_store;

async fn late<B: Backend>(server: &B) -> Late<B::Store> {
    Late::new(B::open(server.url()).await, B::open(server.url()).await).await
}

async fn log_trimmed_beyond_a_nodes_position_voids_its_cache<B: Backend>() {
    let server = B::shared();
    let late = late(&server).await;
    late.elsewhere.owner_changed(&alice(), &owner("carol")).await.unwrap();
    server.trim_log().await;
    late.catches_up().await;
}

async fn unreadable_log_entry_voids_the_cache_and_is_skipped<B: Backend>() {
    let server = B::shared();
    let late = late(&server).await;
    server.spoil_log().await;
    late.catches_up().await;
}

async fn record_of_another_token_is_not_accepted<B: Backend>() {
    let server = B::shared();
    let node = Node::on(&server, settings()).await;
    let (asked, other) = (node.issue().await, node.issue().await);
    server.confuse(asked.record.id, other.record.id).await;
    for _ in 0..2 {
        let status = node.get(&asked).await;
        assert!(status == 401 || status == 503, "{status}");
        assert_eq!(node.get(&other).await, 200);
    }
}

async fn damaged_record_is_503_and_does_not_affect_others<B: Backend>() {
    let server = B::shared();
    let node = Node::on(&server, settings()).await;
    let (damaged, sound) = (node.issue().await, node.issue().await);
    server.spoil_token(damaged.record.id).await;
    for _ in 0..2 {
        assert_eq!(node.get(&damaged).await, 503);
        assert_eq!(node.get(&sound).await, 200);
    }
    let error = node.hallpass.revoke(&alice(), damaged.record.id).await.unwrap_err();
    assert!(error.is_unavailable(), "{error}");
    node.hallpass.revoke(&alice(), sound.record.id).await.unwrap();
    assert_eq!(node.get(&sound).await, 401);
}

on_each_store!(
    log_trimmed_beyond_a_nodes_position_voids_its_cache,
    unreadable_log_entry_voids_the_cache_and_is_skipped,
    record_of_another_token_is_not_accepted,
    damaged_record_is_503_and_does_not_affect_others,
);
