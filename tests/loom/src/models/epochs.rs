//! A new epoch: the stripes start from zero, and no answer from before it becomes current again.

use std::sync::Arc;

use hallpass_core::store::{ChangeSeq, ChangeTarget};

use super::{Model, Node, alice, future, id, read};

use crate::sync::Database;
use crate::twist::{at_once, broken, step};

pub(super) const THE_STRIPE_OF_A_TOKEN_IS_RESET: Model = Model {
    name: "a record that its token's stripe voids stays void while a epoch begins",
    run: || {
        a_void_record(|node| {
            node.invalidation.apply(&ChangeTarget::Token(id(1)), ChangeSeq::new(100));
        });
    },
};

pub(super) const THE_STRIPE_OF_AN_OWNER_IS_RESET: Model = Model {
    name: "a record that its owner's stripe voids stays void while a epoch begins",
    run: || {
        a_void_record(|node| {
            node.invalidation.apply(&ChangeTarget::Owner(alice()), ChangeSeq::new(100));
        });
    },
};

pub(super) const MIN_SEQ_IS_LOWERED: Model = Model {
    name: "a record below the minimum number stays void while a epoch begins",
    run: || a_void_record(|node| node.invalidation.raise_min_seq(ChangeSeq::new(100))),
};

fn a_void_record(end: fn(&Node)) {
    let node = Node::new();
    node.places.put(&node.entry(id(1), read(50, 0, future())));
    end(&node);
    if at_once(begin_a_history(&node), node.check(id(1))).1 {
        broken("a record was used that was void before the epoch began");
    }
}

pub(super) const THE_STRIPE_OF_AN_ABSENCE_IS_RESET: Model = Model {
    name: "an absence that is void stays void while a epoch begins",
    run: || {
        let node = Node::new();
        node.invalidation.apply(&ChangeTarget::Token(id(1)), ChangeSeq::new(100));
        let follow = begin_a_history(&node);
        if at_once(follow, node.check_absence(id(1), read(50, 0, future()))).1 {
            broken("a token was taken for unknown that was known before the epoch began");
        }
    },
};

/// At 40.
fn begin_a_history(node: &Arc<Node>) -> impl FnOnce() + use<> {
    let node = Arc::clone(node);
    move || step("the log", || node.invalidation.begin_epoch(ChangeSeq::new(40)))
}

pub(super) const A_LOAD_STARTS_BEFORE_AN_EPOCH: Model = Model {
    name: "what was read below a epoch's beginning is void in it",
    run: || {
        if matches!(a_load(39), (1.., true)) {
            broken("what was read below a epoch's beginning was used in it");
        }
    },
};

pub(super) const A_LOAD_STARTS_IN_AN_EPOCH: Model = Model {
    name: "what was read in a epoch is judged by that epoch's numbers, and what was read between is void",
    run: || match a_load(40) {
        (1, true) => broken("what was read while a epoch began was used"),
        (2, false) => broken("a epoch's record was held against another's numbers"),
        _ => {}
    },
};

/// A load starts while a epoch begins, at 40. Answers in which epoch it started, and whether what
/// it read can be used.
fn a_load(as_of: u64) -> (u32, bool) {
    let node = Node::new();
    node.invalidation.apply(&ChangeTarget::Token(id(1)), ChangeSeq::new(100));
    let follow = begin_a_history(&node);
    let load = move || {
        let stripe_pair = node.invalidation.stripe_pair(id(1), &alice());
        let epoch = node.invalidation.epoch();
        (epoch, node.invalidation.allow(stripe_pair, ChangeSeq::new(as_of), epoch))
    };
    at_once(follow, load).1
}

pub(super) const A_LOAD_STARTS_DURING_A_RESET: Model = Model {
    name: "a change of this node's own voids what was read before it, though its mark may be wiped",
    run: || {
        let node = Node::new();
        // The number of the token's last change.
        let database = Database::new(40);
        let follow = begin_a_history(&node);
        let load = {
            let (node, database) = (Arc::clone(&node), database.clone());
            move || step("a load", || (node.invalidation.epoch(), database.latest()))
        };
        let change = {
            let node = Arc::clone(&node);
            move || {
                database.store(41);
                node.invalidation.apply(&ChangeTarget::Token(id(1)), ChangeSeq::new(41));
            }
        };
        let (((), (epoch, as_of)), ()) = at_once(move || at_once(follow, load), change);
        let stripe_pair = node.invalidation.stripe_pair(id(1), &alice());
        if as_of < 41 && node.invalidation.allow(stripe_pair, ChangeSeq::new(as_of), epoch) {
            broken("a record was usable that was read before a change which has returned");
        }
    },
};
