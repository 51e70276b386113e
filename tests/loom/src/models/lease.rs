//! The lease: a check that relies on a lease sees all changes that the lease covers.

use hallpass_core::store::{ChangeSeq, ChangeTarget};

use super::{Model, Node, alice, future, id, line, past, past_asleep, past_awake, read};
use crate::dual_instant::DualInstant;
use crate::mutation::{concurrently, fail, step};

const USED: &str = "a check relied on a lease without seeing a change that the lease covers";

pub(super) const A_TOKENS_CHANGE: Model = Model {
    name: "a check that relies on a newer lease sees the change of a token",
    run: || check_change(past_awake(), ChangeTarget::Token(id(1))),
};

pub(super) const A_TOKENS_CHANGE_AFTER_SLEEP: Model = Model {
    name: "a check sees the change of a token if only the wall clock distinguishes the leases",
    run: || check_change(past_asleep(), ChangeTarget::Token(id(1))),
};

pub(super) const AN_OWNERS_CHANGE: Model = Model {
    name: "a check that relies on a newer lease sees the change of an owner",
    run: || check_change(past_awake(), ChangeTarget::Owner(alice())),
};

/// Checks that a record is not used after a change that the renewed lease covers.
fn check_change(lease_before: DualInstant, affected: ChangeTarget) {
    let node = Node::new();
    node.lease.renew(lease_before);
    node.slots.put(&node.entry(id(1), read(1, 0, past())));
    let check = node.check(id(1));
    let follow = move || {
        let lines = [line(affected, 2)];
        step("the log", || node.log_batch(future()).entries(&lines, true));
    };
    if concurrently(follow, check).1 {
        fail(USED);
    }
}

pub(super) const THE_FIRST_READ_OF_THE_LOG: Model = Model {
    name: "the first lease does not cover records from before the log was followed",
    run: || {
        let node = Node::new();
        node.slots.put(&node.entry(id(1), read(1, 0, past())));
        let check = node.check(id(1));
        let follow = move || step("the log", || node.log_batch(future()).head(ChangeSeq::new(2)));
        if concurrently(follow, check).1 {
            fail(USED);
        }
    },
};

pub(super) const A_TOKEN_IS_INSERTED: Model = Model {
    name: "a check that relies on a newer lease sees the insertion of a token",
    run: || {
        let node = Node::new();
        let check = node.check_absence(id(1), read(1, 0, past()));
        let follow = move || {
            let lines = [line(ChangeTarget::Token(id(1)), 2)];
            step("the log", || node.log_batch(future()).entries(&lines, true));
        };
        if concurrently(follow, check).1 {
            fail("a token was rejected as unknown although the lease covers its insertion");
        }
    },
};
