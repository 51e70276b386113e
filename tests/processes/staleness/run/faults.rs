//! Runs with faults between the nodes and their store. The guarantees of the cache must hold.

use std::time::Duration;

use hallpass_memory::MemoryStore;
use hallpass_sqlite::SqliteStore;
use hallpass_testkit::{Faults, FaultyStore, Operation};
use hallpass_tests::nodes::runtime_of_one_thread;
use tokio::time::sleep;

use super::random::{Random, seed};
use super::{BOUND, Plan, report};
use crate::action::{LocalNode, cached};
use crate::history::Report;
use crate::node::Node;

/// The settings of runs in which replies of the store get lost.
pub(super) const LOSSY: Plan = Plan { disables_owners: false, grace_periods_end_everywhere: false };

/// Delays the replies to lookups by a random time up to `most`. A delayed reply has the data from
/// the time of its request.
pub(super) fn answer_late(faults: &Faults, most: Duration) {
    let faults = faults.clone();
    tokio::spawn(async move {
        let mut random = Random::new(seed());
        loop {
            let gate = faults.on(Operation::Get).once().hold();
            gate.arrived(1).await;
            let late = most.mul_f64(random.below(100) as f64 / 100.0);
            tokio::spawn(async move {
                sleep(late).await;
                gate.open();
            });
        }
    });
}

/// Alternates between a fault of length `faulty` and a period of length `healthy` without it.
async fn alternate(faulty: Duration, healthy: Duration, mut set: impl FnMut(bool)) {
    loop {
        for (is_faulty, length) in [(true, faulty), (false, healthy)] {
            set(is_faulty);
            sleep(length).await;
        }
    }
}

/// Runs three nodes on one store in memory. `set_up` adds faults to the store handle of each node.
async fn with_faults(set_up: impl Fn(&Faults), plan: &Plan) -> Report {
    let truth = MemoryStore::new();
    let nodes = (0..3).map(|_| {
        let store = FaultyStore::new(truth.clone());
        set_up(store.faults());
        Node::Local(LocalNode::new(cached(store, BOUND), None))
    });
    report(nodes.collect(), plan).await
}

#[track_caller]
pub(super) fn assert_valid(report: &Report) {
    println!("{report}");
    assert!(report.violations.is_empty(), "{report}");
    assert!(report.accepted > 20 && report.rejected > 20, "too few checks: {report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn log_stalls_for_longer_than_the_staleness_limit() {
    let report = with_faults(
        |faults| {
            let faults = faults.clone();
            tokio::spawn(async move {
                let mut gate = None;
                alternate(BOUND * 2, BOUND / 2, |stalled| {
                    if stalled {
                        gate = Some(faults.on(Operation::Changes).stall());
                    } else if let Some(gate) = gate.take() {
                        faults.on(Operation::Changes).heal();
                        gate.open();
                    }
                })
                .await;
            });
        },
        &Plan::PLAIN,
    )
    .await;
    assert_valid(&report);
    assert!(report.late > 0, "nothing was cached: {report}");
    assert!(
        report.unavailable * 100 <= report.checks(),
        "lookups failed while the log stalled: {report}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn log_responds_late_and_notifications_are_lost() {
    let report = with_faults(
        |faults| {
            faults.on(Operation::WaitForChange).lose_answer();
            let faults = faults.clone();
            tokio::spawn(async move {
                loop {
                    // The entries are already old when they arrive. The lease counts from the
                    // request.
                    let gate = faults.on(Operation::Changes).hold();
                    sleep(BOUND / 2).await;
                    faults.on(Operation::Changes).heal();
                    gate.open();
                    sleep(Duration::from_millis(5)).await;
                }
            });
        },
        &Plan::PLAIN,
    )
    .await;
    assert_valid(&report);
    assert!(report.late > 0, "nothing was cached: {report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn lookups_are_delayed() {
    let late = |faults: &Faults| answer_late(faults, BOUND / 3);
    let report = with_faults(late, &Plan::PLAIN).await;
    assert_valid(&report);
    assert!(report.unavailable * 20 <= report.checks(), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn lookups_are_delayed_beyond_the_staleness_limit() {
    let late = |faults: &Faults| answer_late(faults, BOUND * 3 / 2);
    assert_valid(&with_faults(late, &Plan::PLAIN).await);
}

/// Makes the store fail at random times, lose calls or the replies to writes, and send
/// notifications without a change.
fn flap(faults: &Faults) {
    let faults = faults.clone();
    tokio::spawn(async move {
        let mut random = Random::new(seed());
        loop {
            match random.below(4) {
                0 => faults.on(Operation::ALL).fail(),
                1 => faults.on(Operation::WRITES).lose_answer(),
                2 => faults.on(Operation::WRITES).lose_call(),
                _ => {}
            }
            sleep(Duration::from_millis(random.below(BOUND.as_millis() as usize) as u64)).await;
            faults.heal();
            faults.notify();
            sleep(Duration::from_millis(random.below(100) as u64)).await;
        }
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn memory_store_fails_intermittently_and_loses_replies() {
    assert_valid(&with_faults(flap, &LOSSY).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sqlite_store_fails_intermittently_and_loses_replies() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("tokens.db");
    let mut nodes = Vec::new();
    for _ in 0..3 {
        let file = SqliteStore::open(&path).await.expect("the store opens");
        let store = FaultyStore::new(file);
        flap(store.faults());
        nodes.push(Node::Local(LocalNode::new(cached(store, BOUND), None)));
    }
    assert_valid(&report(nodes, &LOSSY).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn runtime_of_a_node_is_blocked_beyond_the_staleness_limit() {
    let store = MemoryStore::new();
    let blocked = runtime_of_one_thread();
    blocked.spawn(async {
        loop {
            sleep(BOUND / 2).await;
            // Blocks the runtime, as faulty code of the host could.
            std::thread::sleep(BOUND * 3 / 2);
        }
    });
    let node = |store: &MemoryStore| LocalNode::new(cached(store.clone(), BOUND), None);
    let nodes = vec![
        Node::Local(node(&store)),
        Node::OwnRuntime(std::sync::Arc::new(node(&store)), blocked),
    ];
    assert_valid(&report(nodes, &Plan::PLAIN).await);
}
