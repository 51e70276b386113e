//! The table of cached tokens: a lookup may miss, but never returns another token.

use std::sync::Arc;

use super::{Model, Node, future, id, read};
use crate::mutation::{concurrently, fail, step};

pub(super) const A_TOKEN_IS_EVICTED: Model = Model {
    name: "a lookup returns the right token or none while others replace it",
    run: || {
        let node = Node::new();
        let [first, second, third] =
            [1, 2, 3].map(|number| node.entry(id(number), read(1, 0, future())));
        // The set is full, so that the third entry evicts one of the two.
        node.slots.put(&first);
        node.slots.put(&second);
        let put = {
            let node = Arc::clone(&node);
            move || step("an insertion", || node.slots.put(&third))
        };
        let ask = move || {
            [1, 3].into_iter().all(|number| {
                let found = step("a check", || node.slots.get(id(number), |_| true));
                found.is_none_or(|entry| entry.id() == id(number))
            })
        };
        if !concurrently(put, ask).1 {
            fail("a lookup returned another token");
        }
    },
};

pub(super) const A_TOKEN_IS_INSERTED_TWICE: Model = Model {
    name: "a token is found after two concurrent insertions of it",
    run: || {
        let node = Node::new();
        let put = |as_of| {
            let (node, entry) = (Arc::clone(&node), node.entry(id(1), read(as_of, 0, future())));
            move || step("an insertion", || node.slots.put(&entry))
        };
        concurrently(put(1), put(2));
        if node.slots.get(id(1), |_| true).is_none() {
            fail("a token was not found after its insertion into a free slot");
        }
    },
};
