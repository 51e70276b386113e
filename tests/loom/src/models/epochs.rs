//! The start of a new epoch: the stripes are reset to zero, but no record from before it becomes
//! valid again.

use std::sync::Arc;

use hallpass_core::store::{ChangeSeq, ChangeTarget};

use super::{Model, Node, alice, future, id, read};

use crate::mutation::{concurrently, fail, step};
use crate::sync::Database;

pub(super) const THE_STRIPE_OF_A_TOKEN_IS_RESET: Model = Model {
    name: "a record that its token's stripe voids stays void while an epoch begins",
    run: || {
        check_void_record(|node| {
            node.invalidation.apply(&ChangeTarget::Token(id(1)), ChangeSeq::new(100));
        });
    },
};

pub(super) const THE_STRIPE_OF_AN_OWNER_IS_RESET: Model = Model {
    name: "a record that its owner's stripe voids stays void while an epoch begins",
    run: || {
        check_void_record(|node| {
            node.invalidation.apply(&ChangeTarget::Owner(alice()), ChangeSeq::new(100));
        });
    },
};

pub(super) const MIN_SEQ_IS_LOWERED: Model = Model {
    name: "a record below the minimum sequence number stays void while an epoch begins",
    run: || check_void_record(|node| node.invalidation.raise_min_seq(ChangeSeq::new(100))),
};

/// Checks that a record that `end` voids is not used while an epoch begins.
fn check_void_record(end: fn(&Node)) {
    let node = Node::new();
    node.slots.put(&node.entry(id(1), read(50, 0, future())));
    end(&node);
    if concurrently(begin_epoch_at_40(&node), node.check(id(1))).1 {
        fail("a check used a record that was void before the epoch began");
    }
}

pub(super) const THE_STRIPE_OF_AN_ABSENCE_IS_RESET: Model = Model {
    name: "a cached absence that is void stays void while an epoch begins",
    run: || {
        let node = Node::new();
        node.invalidation.apply(&ChangeTarget::Token(id(1)), ChangeSeq::new(100));
        let follow = begin_epoch_at_40(&node);
        if concurrently(follow, node.check_absence(id(1), read(50, 0, future()))).1 {
            fail("a check relied on a cached absence that was void before the epoch began");
        }
    },
};

/// Returns a closure that begins an epoch at the sequence number 40.
fn begin_epoch_at_40(node: &Arc<Node>) -> impl FnOnce() + use<> {
    let node = Arc::clone(node);
    move || step("the log", || node.invalidation.begin_epoch(ChangeSeq::new(40)))
}

pub(super) const A_LOAD_STARTS_BEFORE_AN_EPOCH: Model = Model {
    name: "a record that is older than the beginning of an epoch is void in it",
    run: || {
        if matches!(start_load(39), (1.., true)) {
            fail("an epoch used a record that is older than its beginning");
        }
    },
};

pub(super) const A_LOAD_STARTS_IN_AN_EPOCH: Model = Model {
    name: "a record is compared only with the numbers of its epoch, and is void if read between two",
    run: || match start_load(40) {
        (1, true) => fail("a record that was read while an epoch began was used"),
        (2, false) => fail("a record was compared with the numbers of another epoch"),
        _ => {}
    },
};

/// Starts a load while an epoch begins at the sequence number 40. Returns the epoch in which the
/// load started, and whether its result can be used.
fn start_load(as_of: u64) -> (u32, bool) {
    let node = Node::new();
    node.invalidation.apply(&ChangeTarget::Token(id(1)), ChangeSeq::new(100));
    let follow = begin_epoch_at_40(&node);
    let load = move || {
        let stripe_pair = node.invalidation.stripe_pair(id(1), &alice());
        let epoch = node.invalidation.epoch();
        (epoch, node.invalidation.allow(stripe_pair, ChangeSeq::new(as_of), epoch))
    };
    concurrently(follow, load).1
}

pub(super) const A_LOAD_STARTS_DURING_A_RESET: Model = Model {
    name: "a local change voids older records even if the reset of an epoch removes its mark",
    run: || {
        let node = Node::new();
        // The sequence number of the token's last change.
        let database = Database::new(40);
        let follow = begin_epoch_at_40(&node);
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
        let (((), (epoch, as_of)), ()) = concurrently(move || concurrently(follow, load), change);
        let stripe_pair = node.invalidation.stripe_pair(id(1), &alice());
        if as_of < 41 && node.invalidation.allow(stripe_pair, ChangeSeq::new(as_of), epoch) {
            fail("a record from before a completed change was usable");
        }
    },
};
