use std::collections::HashSet;
use std::time::{Duration, Instant};

/// A value that is changed on one of several nodes, and what it was before for as long as another node may believe it.
#[derive(Clone, Debug)]
pub(super) struct Past<T> {
    now: T,
    before: Vec<Old<T>>,
}

#[derive(Clone, Debug)]
struct Old<T> {
    value: T,
    /// When the call returned that made it another one.
    ended: Instant,
    /// The nodes that have seen another one since.
    over_on: HashSet<usize>,
}

impl<T> Past<T> {
    pub(super) fn new(now: T) -> Self {
        Self { now, before: Vec::new() }
    }

    /// What it is in truth.
    pub(super) fn now(&self) -> &T {
        &self.now
    }

    /// It is another one since a call on this node that has just returned.
    pub(super) fn change(&mut self, node: usize, now: T) {
        let value = std::mem::replace(&mut self.now, now);
        self.before.push(Old { value, ended: Instant::now(), over_on: HashSet::new() });
        self.shown(node);
    }

    /// This node has shown what it is now, and does not take that back.
    pub(super) fn shown(&mut self, node: usize) {
        for old in &mut self.before {
            old.over_on.insert(node);
        }
    }

    /// What a check that starts at `start` on this node may take it for: what it is, and what it was less than the
    /// bound ago unless the node knows better.
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
