//! Tests with damaged or deleted data in the store.

use hallpass_tests::late::Late;
use hallpass_tests::nodes::{alice, owner};

use crate::backend::Backend;
use crate::node::{Node, settings};
use crate::on_each_store;

async fn late<B: Backend>(server: &B) -> Late<B::Store> {
    Late::new(B::open(server.url()).await, B::open(server.url()).await).await
}

async fn f41_a_log_trimmed_below_a_late_node_voids_its_cache<B: Backend>() {
    let server = B::shared();
    let late = late(&server).await;
    late.elsewhere.owner_changed(&alice(), &owner("carol")).await.unwrap();
    server.trim_log().await;
    late.catches_up().await;
}

async fn f44_a_line_of_the_log_that_nobody_can_read_voids_the_cache_and_it_goes_on<B: Backend>() {
    let server = B::shared();
    let late = late(&server).await;
    server.spoil_log().await;
    late.catches_up().await;
}

async fn f52_what_is_stored_of_another_token_lets_nobody_in<B: Backend>() {
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

async fn f53_a_damaged_record_is_503_and_harms_no_other<B: Backend>() {
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
    f41_a_log_trimmed_below_a_late_node_voids_its_cache,
    f44_a_line_of_the_log_that_nobody_can_read_voids_the_cache_and_it_goes_on,
    f52_what_is_stored_of_another_token_lets_nobody_in,
    f53_a_damaged_record_is_503_and_harms_no_other,
);
