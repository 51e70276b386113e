//! Tests in which the server rejects changes or has become a standby.

use std::time::{Duration, Instant};

use hallpass_core::{Error, NewToken};
use hallpass_tests::nodes::{NEVER, alice, until};
use tokio::time::sleep;

use crate::backend::Backend;
use crate::node::{BOUND, Node, settings};
use crate::on_each_store;

async fn read_only_store_checks_tokens_and_rejects_changes_with_503<B: Backend>() {
    let server = B::alone();
    let node = Node::on(&server, settings()).await;
    let (warm, cold) = (node.issue().await, node.issue().await);
    node.recovers(&warm, 200).await;
    server.take_no_changes(true);
    node.recovers(&cold, 200).await;
    for _ in 0..2 {
        for token in [&warm, &cold] {
            node.recovers(token, 200).await;
        }
        let issued = node.hallpass.issue(&alice(), NewToken::named("ci")).await.unwrap_err();
        let revoked = node.hallpass.revoke(&alice(), warm.record.id).await.unwrap_err();
        for error in [issued, revoked] {
            assert!(matches!(&error, Error::Store(error) if error.is_read_only()), "{error:?}");
        }
        sleep(Duration::from_millis(300)).await;
    }
    server.take_no_changes(false);
    until("the server accepts changes again", async || {
        node.hallpass.revoke(&alice(), warm.record.id).await.is_ok()
    })
    .await;
    node.recovers(&warm, 401).await;
    node.recovers(&cold, 200).await;
}

/// Connects a node to a standby that is disconnected from its primary. The bound must hold, and no
/// change may be reported as done.
async fn node_on_a_lagging_standby_accepts_nothing_beyond_the_bound<B: Backend>() {
    let primary = B::alone();
    let elsewhere = Node::on(&primary, settings()).await;
    let node = Node::on(&primary, settings()).await;
    let unbound = Node::on(&primary, settings().max_staleness(NEVER)).await;
    let (token, cold) = (elsewhere.issue().await, elsewhere.issue().await);
    let standby = primary.standby();
    primary.wait_for(&standby);
    standby.stop_following();
    for node in [&node, &unbound] {
        node.recovers(&token, 200).await;
        node.network.lead_to(standby.address());
        node.network.cut();
    }
    elsewhere.hallpass.revoke(&alice(), token.record.id).await.unwrap();
    let revoked = Instant::now();
    let last = node.last_accepted(&token, revoked).await;
    assert!(last <= BOUND, "accepted {:?} after the bound", last - BOUND);
    while revoked.elapsed() < BOUND * 3 {
        assert_ne!(
            node.get(&token).await,
            200,
            "accepted {:?} after the revocation",
            revoked.elapsed()
        );
        let status = node.get(&cold).await;
        assert!(status == 200 || status == 503, "{status}");
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(
        unbound.get(&token).await,
        200,
        "a node without a staleness bound accepts the token"
    );
    let error = node.hallpass.revoke(&alice(), cold.record.id).await.unwrap_err();
    assert!(error.is_unavailable(), "{error}");

    // New connections lead to the primary again, but the existing ones still lead to the standby.
    for node in [&node, &unbound] {
        node.network.lead_to(primary.address());
        until("the node rejects the token", async || node.get(&token).await == 401).await;
        node.recovers(&cold, 200).await;
    }
    node.hallpass.revoke(&alice(), cold.record.id).await.unwrap();
    node.recovers(&cold, 401).await;
}

on_each_store!(
    read_only_store_checks_tokens_and_rejects_changes_with_503,
    node_on_a_lagging_standby_accepts_nothing_beyond_the_bound,
);
