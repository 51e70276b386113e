//! Cached owner statuses: a status from before a change of the owner is void.

use std::sync::Arc;

use hallpass_core::store::{ChangeSeq, ChangeTarget};

use super::{Model, Node, alice};
use crate::mutation::{concurrently, fail, step};
use crate::sync::{AtomicU64, Ordering};

const USED: &str = "an owner status from before a change was usable after it";

pub(super) const A_CHANGE_IS_LOGGED: Model = Model {
    name: "an owner status from before a logged change is not used after it",
    run: || {
        check_change(0, |node| {
            node.invalidation.apply(&ChangeTarget::Owner(alice()), ChangeSeq::new(5));
        });
    },
};

pub(super) const A_CHANGE_IS_BELOW_THE_FIRST_READ: Model = Model {
    name: "an owner status from before the log was followed is not used after it",
    run: || check_change(0, |node| node.invalidation.raise_min_seq(ChangeSeq::new(5))),
};

pub(super) const A_CHANGE_STARTS_AN_EPOCH: Model = Model {
    name: "an owner status of another epoch is not used even if the sequence numbers are equal",
    run: || check_change(5, |node| node.invalidation.begin_epoch(ChangeSeq::new(5))),
};

/// Checks the case that the host changes an owner and the node reads the change, while the node
/// queries the host for the status of that owner.
fn check_change(floor: u64, learn: fn(&Node)) {
    let node = Node::new();
    node.invalidation.raise_min_seq(ChangeSeq::new(floor));
    let host = AtomicU64::new(0);
    let change = {
        let (node, host) = (Arc::clone(&node), host.clone());
        move || {
            step("a change", || {
                host.store(1, Ordering::Relaxed);
                learn(&node);
            });
        }
    };
    let ask = {
        let node = Arc::clone(&node);
        move || {
            step("an owner lookup", || {
                (node.invalidation.mark(&alice()), host.load(Ordering::Relaxed))
            })
        }
    };
    let ((), (mark, said)) = concurrently(change, ask);
    if mark.is_some() && mark == node.invalidation.mark(&alice()) && said == 0 {
        fail(USED);
    }
}

pub(super) const AN_EPOCH_RESETS_THE_STRIPE: Model = Model {
    name: "an owner status that a change has voided stays void while an epoch begins",
    run: || {
        let node = Node::new();
        let mark = node.invalidation.mark(&alice());
        node.invalidation.apply(&ChangeTarget::Owner(alice()), ChangeSeq::new(7));
        let follow = {
            let node = Arc::clone(&node);
            // The epoch begins at 0, so that only its number distinguishes it from the previous
            // one.
            move || step("the log", || node.invalidation.begin_epoch(ChangeSeq::ZERO))
        };
        let check = move || step("a check of an owner", || node.invalidation.mark(&alice()));
        if mark.is_some() && mark == concurrently(follow, check).1 {
            fail(USED);
        }
    },
};
