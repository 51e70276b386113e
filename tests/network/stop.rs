//! Tests in which the service is shut down while a change is in progress.

use std::time::Duration;

use hallpass_servers::Flow;
use hallpass_tests::nodes::alice;
use hallpass_tests::service::Service;
use tokio::time::sleep;

use crate::backend::Backend;
use crate::node::{Node, settings, truth};
use crate::on_each_store;

async fn shutdown_completes_running_changes_and_reports_their_result<B: Backend>() {
    let server = B::shared();
    let truth = truth(&server).await;
    for (trouble, arrives) in [(Flow::Hold, true), (Flow::Swallow, false)] {
        let node = Node::on(&server, settings()).await;
        let id = node.issue().await.record.id;
        let mut service = Service::start(&node.hallpass).await;
        node.network.set_both(trouble);
        let asked = service.send_revoke(id);
        // The change may have been sent by then or not. Both outcomes are allowed.
        sleep(Duration::from_millis(100)).await;
        service.shut_down();
        sleep(Duration::from_millis(100)).await;
        assert!(!service.has_ended(), "the service ended before the change was complete");
        let is_revoked = async || truth.get(&alice(), id).await.unwrap().revoked_at.is_some();
        assert!(!is_revoked().await);
        if arrives {
            node.network.heal();
        }
        let status =
            asked.await.unwrap().expect("the service closed the connection without a response");
        service.ended().await;
        assert_eq!(status, if arrives { 204 } else { 503 });
        assert_eq!(is_revoked().await, arrives);
    }
}

on_each_store!(shutdown_completes_running_changes_and_reports_their_result);
