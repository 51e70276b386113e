//! Runs without faults: nodes on one store in memory, on one file, and in several processes on one
//! file.

use std::path::PathBuf;

use hallpass_memory::MemoryStore;
use hallpass_sqlite::SqliteStore;
use tempfile::TempDir;

use super::{BOUND, Plan, report};
use crate::action::{LocalNode, cached};
use crate::history::Report;
use crate::node::{Node, Process};

/// Creates a temporary directory. Returns it with the path of a database file and with a folder
/// that has a file for each disabled account.
fn files() -> (TempDir, PathBuf, PathBuf) {
    let directory = tempfile::tempdir().expect("a directory");
    let (tokens, disabled) =
        (directory.path().join("tokens.db"), directory.path().join("disabled"));
    std::fs::create_dir(&disabled).expect("a directory");
    (directory, tokens, disabled)
}

#[track_caller]
pub(super) fn assert_valid_without_faults(report: &Report) {
    println!("{report}");
    assert!(report.violations.is_empty(), "{report}");
    assert!(report.accepted > 20 && report.rejected > 20, "too few checks: {report}");
    assert!(report.unavailable * 100 <= report.checks(), "checks failed without a fault: {report}");
}

async fn file(path: &std::path::Path) -> SqliteStore {
    SqliteStore::open(path).await.expect("the store opens")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn three_nodes_share_a_store_in_memory() {
    let store = MemoryStore::new();
    let nodes = (0..3).map(|_| Node::Local(LocalNode::new(cached(store.clone(), BOUND), None)));
    assert_valid_without_faults(&report(nodes.collect(), &Plan::PLAIN).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_nodes_in_memory_with_disabled_accounts() {
    let (_directory, _, disabled) = files();
    let store = MemoryStore::new();
    let nodes = (0..2)
        .map(|_| Node::Local(LocalNode::new(cached(store.clone(), BOUND), Some(disabled.clone()))));
    let plan = Plan { disables_owners: true, ..Plan::PLAIN };
    assert_valid_without_faults(&report(nodes.collect(), &plan).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_node_alone() {
    let node = Node::Local(LocalNode::new(cached(MemoryStore::new(), BOUND), None));
    let report = report(vec![node], &Plan::PLAIN).await;
    assert_valid_without_faults(&report);
    assert_eq!(report.late, 0, "a single node was stale: {report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn three_nodes_share_a_file() {
    let (_directory, tokens, _) = files();
    let mut nodes = Vec::new();
    for _ in 0..3 {
        nodes.push(Node::Local(LocalNode::new(cached(file(&tokens).await, BOUND), None)));
    }
    assert_valid_without_faults(&report(nodes, &Plan::PLAIN).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn three_processes_share_a_file() {
    let (_directory, tokens, disabled) = files();
    let here = LocalNode::new(cached(file(&tokens).await, BOUND), Some(disabled.clone()));
    let mut nodes = vec![Node::Local(here)];
    for _ in 0..2 {
        nodes.push(Node::OwnProcess(Process::start(&tokens, BOUND, &disabled)));
    }
    let plan = Plan { disables_owners: true, ..Plan::PLAIN };
    assert_valid_without_faults(&report(nodes, &plan).await);
}
