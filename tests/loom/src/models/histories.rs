//! A new history: the stripes begin anew, and nothing of before slips through while they do.

use std::sync::Arc;

use hallpass_core::store::{ChangeSeq, ChangeTarget};

use super::{Model, Node, alice, future, id, read};
use crate::guards::Guards;
use crate::sync::Database;
use crate::twist::{at_once, broken, step};

pub(super) const THE_STRIPE_OF_A_TOKEN_IS_RESET: Model = Model {
    name: "a record that its token's stripe voids stays void while a history begins",
    run: || {
        a_void_record(|node| node.stripes.apply(&ChangeTarget::Token(id(1)), ChangeSeq::new(100)))
    },
};

pub(super) const THE_STRIPE_OF_AN_OWNER_IS_RESET: Model = Model {
    name: "a record that its owner's stripe voids stays void while a history begins",
    run: || {
        a_void_record(|node| node.stripes.apply(&ChangeTarget::Owner(alice()), ChangeSeq::new(100)))
    },
};

pub(super) const THE_FLOOR_IS_LOWERED: Model = Model {
    name: "a record below the floor stays void while a history begins",
    run: || a_void_record(|node| node.stripes.raise_floor(ChangeSeq::new(100))),
};

fn a_void_record(end: fn(&Node)) {
    let node = Node::new();
    node.places.put(&node.entry(id(1), read(50, 0, future())));
    end(&node);
    if at_once(begin_a_history(&node), node.check(id(1))).1 {
        broken("a record was used that was void before the history began");
    }
}

pub(super) const THE_STRIPE_OF_AN_ABSENCE_IS_RESET: Model = Model {
    name: "an absence that is void stays void while a history begins",
    run: || {
        let node = Node::new();
        node.stripes.apply(&ChangeTarget::Token(id(1)), ChangeSeq::new(100));
        let follow = begin_a_history(&node);
        if at_once(follow, node.check_absence(id(1), read(50, 0, future()))).1 {
            broken("a token was taken for unknown that was known before the history began");
        }
    },
};

/// At 40.
fn begin_a_history(node: &Arc<Node>) -> impl FnOnce() + use<> {
    let node = Arc::clone(node);
    move || step("the log", || node.stripes.begin_history(ChangeSeq::new(40)))
}

pub(super) const A_LOAD_STARTS_BEFORE_A_HISTORY: Model = Model {
    name: "what was read below a history's beginning is void in it",
    run: || {
        if matches!(a_load(39), (1.., true)) {
            broken("what was read below a history's beginning was used in it");
        }
    },
};

pub(super) const A_LOAD_STARTS_IN_A_HISTORY: Model = Model {
    name: "what was read in a history is judged by that history's numbers, and what was read between is void",
    run: || match a_load(40) {
        (1, true) => broken("what was read while a history began was used"),
        (2, false) => broken("a history's record was held against another's numbers"),
        _ => {}
    },
};

/// A load starts while a history begins, at 40. Answers in which history it started, and whether what it read
/// can be used.
fn a_load(as_of: u64) -> (u32, bool) {
    let node = Node::new();
    node.stripes.apply(&ChangeTarget::Token(id(1)), ChangeSeq::new(100));
    let follow = begin_a_history(&node);
    let load = move || {
        let footing = node.stripes.footing(id(1), &alice());
        let history = node.stripes.history();
        (history, node.stripes.allow(footing, ChangeSeq::new(as_of), history, Guards::ON))
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
            move || step("a load", || (node.stripes.history(), database.latest()))
        };
        let change = {
            let node = Arc::clone(&node);
            move || {
                database.store(41);
                node.stripes.apply(&ChangeTarget::Token(id(1)), ChangeSeq::new(41));
            }
        };
        let (((), (history, as_of)), ()) = at_once(move || at_once(follow, load), change);
        let footing = node.stripes.footing(id(1), &alice());
        if as_of < 41 && node.stripes.allow(footing, ChangeSeq::new(as_of), history, Guards::ON) {
            broken("a record was usable that was read before a change which has returned");
        }
    },
};
