//! Values that other nodes may still assume for a while, because their caches are stale.

use std::collections::HashSet;
use std::time::{Duration, Instant};

/// A value that nodes change, and its earlier values for as long as a node may still assume them.
#[derive(Clone, Debug)]
pub(super) struct Past<T> {
    now: T,
    before: Vec<Old<T>>,
}

#[derive(Clone, Debug)]
struct Old<T> {
    value: T,
    /// The time at which the call that replaced the value has returned.
    ended: Instant,
    /// The nodes that have shown a later value.
    over_on: HashSet<usize>,
}

impl<T> Past<T> {
    pub(super) fn new(now: T) -> Self {
        Self { now, before: Vec::new() }
    }

    /// Returns the current value.
    pub(super) fn now(&self) -> &T {
        &self.now
    }

    /// Sets the value, by a call on this node that has just returned.
    pub(super) fn change(&mut self, node: usize, now: T) {
        let value = std::mem::replace(&mut self.now, now);
        self.before.push(Old { value, ended: Instant::now(), over_on: HashSet::new() });
        self.shown(node);
    }

    /// Notes that this node has shown the current value. It must not go back to an earlier one.
    pub(super) fn shown(&mut self, node: usize) {
        for old in &mut self.before {
            old.over_on.insert(node);
        }
    }

    /// Returns the values that a check that starts at `start` on this node may assume: the current
    /// one, and those replaced within the bound, unless the node has shown a later one.
    pub(super) fn believable(
        &self,
        node: usize,
        start: Instant,
        bound: Duration,
    ) -> impl Iterator<Item = &T> {
        let recent = self
            .before
            .iter()
            .filter(move |old| start <= old.ended + bound && !old.over_on.contains(&node));
        std::iter::once(&self.now).chain(recent.map(|old| &old.value))
    }
}
