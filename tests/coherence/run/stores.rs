//! Good days: nodes on one store in memory, on one file, and in several processes on one file.

use std::path::PathBuf;

use hallpass_memory::MemoryStore;
use hallpass_sqlite::SqliteStore;
use tempfile::TempDir;

use super::{BOUND, Plan, report};
use crate::action::{Place, cached};
use crate::history::Report;
use crate::node::{Node, Process};

/// A directory, a file for tokens in it, and one for each account that is disabled.
fn place() -> (TempDir, PathBuf, PathBuf) {
    let directory = tempfile::tempdir().expect("a directory");
    let (tokens, disabled) =
        (directory.path().join("tokens.db"), directory.path().join("disabled"));
    std::fs::create_dir(&disabled).expect("a directory");
    (directory, tokens, disabled)
}

#[track_caller]
pub(super) fn assert_good_day(report: &Report) {
    println!("{report}");
    assert!(report.violations.is_empty(), "{report}");
    assert!(report.accepted > 20 && report.refused > 20, "too little was seen: {report}");
    assert!(report.unavailable * 100 <= report.checks(), "the store was there: {report}");
}

async fn file(path: &std::path::Path) -> SqliteStore {
    SqliteStore::open(path).await.expect("the store opens")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn three_nodes_on_one_store_in_memory() {
    let store = MemoryStore::new();
    let nodes = (0..3).map(|_| Node::Here(Place::new(cached(store.clone(), BOUND), None)));
    assert_good_day(&report(nodes.collect(), &Plan::PLAIN).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_nodes_in_memory_whose_host_disables_people() {
    let (_directory, _, disabled) = place();
    let store = MemoryStore::new();
    let nodes = (0..2)
        .map(|_| Node::Here(Place::new(cached(store.clone(), BOUND), Some(disabled.clone()))));
    let plan = Plan { standings: true, ..Plan::PLAIN };
    assert_good_day(&report(nodes.collect(), &plan).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_node_alone() {
    let node = Node::Here(Place::new(cached(MemoryStore::new(), BOUND), None));
    let report = report(vec![node], &Plan::PLAIN).await;
    assert_good_day(&report);
    assert_eq!(report.late, 0, "there is no other node: {report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn three_nodes_on_one_file() {
    let (_directory, tokens, _) = place();
    let mut nodes = Vec::new();
    for _ in 0..3 {
        nodes.push(Node::Here(Place::new(cached(file(&tokens).await, BOUND), None)));
    }
    assert_good_day(&report(nodes, &Plan::PLAIN).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_node_here_and_two_in_processes_of_their_own_on_one_file() {
    let (_directory, tokens, disabled) = place();
    let here = Place::new(cached(file(&tokens).await, BOUND), Some(disabled.clone()));
    let mut nodes = vec![Node::Here(here)];
    for _ in 0..2 {
        nodes.push(Node::Process(Process::start(&tokens, BOUND, &disabled)));
    }
    let plan = Plan { standings: true, ..Plan::PLAIN };
    assert_good_day(&report(nodes, &plan).await);
}
