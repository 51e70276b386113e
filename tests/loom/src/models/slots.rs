//! The table in front: a miss is allowed, another's token is not.

use std::sync::Arc;

use super::{Model, Node, future, id, read};
use crate::twist::{at_once, broken, step};

pub(super) const A_PLACE_IS_FOUGHT_FOR: Model = Model {
    name: "who asks for a token gets that one or none while others fight for its place",
    run: || {
        let node = Node::new();
        let [first, second, third] =
            [1, 2, 3].map(|number| node.entry(id(number), read(1, 0, future())));
        // The set is full, so that one of two has to make room.
        node.places.put(&first);
        node.places.put(&second);
        let put = {
            let node = Arc::clone(&node);
            move || step("a fill", || node.places.put(&third))
        };
        let ask = move || {
            [1, 3].into_iter().all(|number| {
                let found = step("a check", || node.places.get(id(number), |_| true));
                found.is_none_or(|entry| entry.id() == id(number))
            })
        };
        if !at_once(put, ask).1 {
            broken("another token was found");
        }
    },
};

pub(super) const WHAT_WAS_PUT_IS_FOUND: Model = Model {
    name: "after two have put the same token, it is found",
    run: || {
        let node = Node::new();
        let put = |as_of| {
            let (node, entry) = (Arc::clone(&node), node.entry(id(1), read(as_of, 0, future())));
            move || step("a fill", || node.places.put(&entry))
        };
        at_once(put(1), put(2));
        if node.places.get(id(1), |_| true).is_none() {
            broken("a token that was put into a free place was not found");
        }
    },
};
