//! A lease vouches for changes: whoever relies on it sees them.

use hallpass_core::store::{ChangeSeq, ChangeTarget};

use super::{Model, Node, alice, future, id, line, past, past_asleep, past_awake, read};
use crate::dual_instant::DualInstant;
use crate::twist::{at_once, broken, step};

const USED: &str = "a token was used that is fresh only by a lease which vouches for its end";

pub(super) const A_TOKENS_CHANGE: Model = Model {
    name: "a token's change is seen by whoever relies on the lease after it",
    run: || a_change(past_awake(), ChangeTarget::Token(id(1))),
};

pub(super) const A_TOKENS_CHANGE_AFTER_SLEEP: Model = Model {
    name: "the same where it is the wall clock that makes the difference",
    run: || a_change(past_asleep(), ChangeTarget::Token(id(1))),
};

pub(super) const AN_OWNERS_CHANGE: Model = Model {
    name: "an owner's change is seen by whoever relies on the lease after it",
    run: || a_change(past_awake(), ChangeTarget::Owner(alice())),
};

fn a_change(lease_before: DualInstant, affected: ChangeTarget) {
    let node = Node::new();
    node.lease.renew(lease_before);
    node.places.put(&node.entry(id(1), read(1, 0, past())));
    let check = node.check(id(1));
    let follow = move || {
        let lines = [line(affected, 2)];
        step("the log", || node.learned(future()).entries(&lines, true));
    };
    if at_once(follow, check).1 {
        broken(USED);
    }
}

pub(super) const THE_FIRST_PLACE: Model = Model {
    name: "what was read before the log was followed is not used by the lease that begins there",
    run: || {
        let node = Node::new();
        node.places.put(&node.entry(id(1), read(1, 0, past())));
        let check = node.check(id(1));
        let follow = move || step("the log", || node.learned(future()).head(ChangeSeq::new(2)));
        if at_once(follow, check).1 {
            broken(USED);
        }
    },
};

pub(super) const A_TOKEN_THAT_IS_THERE_NOW: Model = Model {
    name: "a token that is logged is not refused as unknown by the lease after it",
    run: || {
        let node = Node::new();
        let check = node.check_absence(id(1), read(1, 0, past()));
        let follow = move || {
            let lines = [line(ChangeTarget::Token(id(1)), 2)];
            step("the log", || node.learned(future()).entries(&lines, true));
        };
        if at_once(follow, check).1 {
            broken("a token was taken for unknown by a lease which vouches for its insertion");
        }
    },
};
