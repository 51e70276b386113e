//! Bad days: what is between the nodes and their store breaks, again and again. The promise holds.

use std::time::Duration;

use hallpass_memory::MemoryStore;
use hallpass_sqlite::SqliteStore;
use hallpass_testkit::{Faults, FaultyStore, Operation};
use hallpass_tests::nodes::runtime_of_one_thread;
use tokio::time::sleep;

use super::random::{Random, seed};
use super::{BOUND, Plan, report};
use crate::action::{Place, cached};
use crate::history::Report;
use crate::node::Node;

/// What is stored may not be what was answered.
pub(super) const BROKEN: Plan = Plan { standings: false, overlaps_end_everywhere: false };

/// Many look-ups are answered up to so late, each for itself, with what was true when they were
/// made.
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

/// For a while something is wrong, for a while nothing is.
async fn now_and_then(wrong: Duration, well: Duration, mut set: impl FnMut(bool)) {
    loop {
        for (is_wrong, length) in [(true, wrong), (false, well)] {
            set(is_wrong);
            sleep(length).await;
        }
    }
}

/// Three nodes in memory, each with a store that something is wrong with.
async fn with_faults(set_up: impl Fn(&Faults), plan: &Plan) -> Report {
    let truth = MemoryStore::new();
    let nodes = (0..3).map(|_| {
        let store = FaultyStore::new(truth.clone());
        set_up(store.faults());
        Node::Here(Place::new(cached(store, BOUND), None))
    });
    report(nodes.collect(), plan).await
}

#[track_caller]
pub(super) fn assert_kept(report: &Report) {
    println!("{report}");
    assert!(report.violations.is_empty(), "{report}");
    assert!(report.accepted > 20 && report.refused > 20, "too little was seen: {report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_log_stalls_for_longer_than_the_bound() {
    let report = with_faults(
        |faults| {
            let faults = faults.clone();
            tokio::spawn(async move {
                let mut gate = None;
                now_and_then(BOUND * 2, BOUND / 2, |stalled| {
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
    assert_kept(&report);
    assert!(report.late > 0, "nothing was cached: {report}");
    assert!(report.unavailable * 100 <= report.checks(), "look-ups go on: {report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_log_answers_late_and_nudges_are_lost() {
    let report = with_faults(
        |faults| {
            faults.on(Operation::WaitForChange).lose_answer();
            let faults = faults.clone();
            tokio::spawn(async move {
                loop {
                    // What it read is old when it arrives; the lease counts from when it was asked.
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
    assert_kept(&report);
    assert!(report.late > 0, "nothing was cached: {report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn look_ups_are_answered_late() {
    let late = |faults: &Faults| answer_late(faults, BOUND / 3);
    let report = with_faults(late, &Plan::PLAIN).await;
    assert_kept(&report);
    assert!(report.unavailable * 20 <= report.checks(), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn look_ups_are_answered_later_than_the_bound() {
    let late = |faults: &Faults| answer_late(faults, BOUND * 3 / 2);
    assert_kept(&with_faults(late, &Plan::PLAIN).await);
}

/// The store of each node is gone now and then, answers get lost of what was done, and nudges come
/// for nothing.
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
            faults.nudge();
            sleep(Duration::from_millis(random.below(100) as u64)).await;
        }
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_in_memory_flaps_and_loses_answers() {
    assert_kept(&with_faults(flap, &BROKEN).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_on_a_file_flaps_and_loses_answers() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("tokens.db");
    let mut nodes = Vec::new();
    for _ in 0..3 {
        let file = SqliteStore::open(&path).await.expect("the store opens");
        let store = FaultyStore::new(file);
        flap(store.faults());
        nodes.push(Node::Here(Place::new(cached(store, BOUND), None)));
    }
    assert_kept(&report(nodes, &BROKEN).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f46_a_node_whose_runtime_is_blocked_for_longer_than_the_bound() {
    let store = MemoryStore::new();
    let blocked = runtime_of_one_thread();
    blocked.spawn(async {
        loop {
            sleep(BOUND / 2).await;
            // The fault of the host's own code.
            std::thread::sleep(BOUND * 3 / 2);
        }
    });
    let place = |store: &MemoryStore| Place::new(cached(store.clone(), BOUND), None);
    let nodes =
        vec![Node::Here(place(&store)), Node::Apart(std::sync::Arc::new(place(&store)), blocked)];
    assert_kept(&report(nodes, &Plan::PLAIN).await);
}
