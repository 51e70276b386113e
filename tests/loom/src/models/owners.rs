//! What the host says of an owner is void once they changed.

use std::sync::Arc;

use hallpass_core::store::{ChangeSeq, ChangeTarget};

use super::{Model, Node, alice};
use crate::sync::{AtomicU64, Ordering};
use crate::twist::{at_once, broken, step};

const USED: &str = "what the host said before an owner changed was usable after it";

pub(super) const A_CHANGE_IS_ANNOUNCED: Model = Model {
    name: "an answer of before an announced change is not used after it",
    run: || {
        a_change(0, |node| {
            node.invalidation.apply(&ChangeTarget::Owner(alice()), ChangeSeq::new(5));
        });
    },
};

pub(super) const A_CHANGE_IS_BELOW_THE_FIRST_PLACE: Model = Model {
    name: "an answer of before the log was followed is not used after it",
    run: || a_change(0, |node| node.invalidation.raise_min_seq(ChangeSeq::new(5))),
};

pub(super) const A_CHANGE_IS_IN_A_NEW_HISTORY: Model = Model {
    name: "an answer of another epoch is not used, though their numbers be the same",
    run: || a_change(5, |node| node.invalidation.begin_epoch(ChangeSeq::new(5))),
};

/// The host changes an owner and the node learns of it, while it asks the host about that owner.
fn a_change(floor: u64, learn: fn(&Node)) {
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
            step("a question", || (node.invalidation.mark(&alice()), host.load(Ordering::Relaxed)))
        }
    };
    let ((), (mark, said)) = at_once(change, ask);
    if mark.is_some() && mark == node.invalidation.mark(&alice()) && said == 0 {
        broken(USED);
    }
}

pub(super) const A_CHANGE_IS_WIPED: Model = Model {
    name: "an answer that a change has voided stays void while a epoch begins",
    run: || {
        let node = Node::new();
        let mark = node.invalidation.mark(&alice());
        node.invalidation.apply(&ChangeTarget::Owner(alice()), ChangeSeq::new(7));
        let follow = {
            let node = Arc::clone(&node);
            // At 0, so that nothing but the epoch tells it from the one before.
            move || step("the log", || node.invalidation.begin_epoch(ChangeSeq::ZERO))
        };
        let check = move || step("a check of an owner", || node.invalidation.mark(&alice()));
        if mark.is_some() && mark == at_once(follow, check).1 {
            broken(USED);
        }
    },
};
