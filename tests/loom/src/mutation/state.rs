use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::atomic::Ordering;

use loom::thread::ThreadId;

use super::{Mutation, Site};

/// The state of a running model. Loom runs all threads of a model on one thread of the operating
/// system.
#[derive(Default)]
pub(super) struct State {
    pub(super) mutation: Option<Mutation>,
    /// Whether [`concurrently`](super::concurrently) spawns the second closure instead of the
    /// first.
    pub(super) second_is_spawned: bool,
    /// The possible mutations that were found so far.
    pub(super) mutations: BTreeSet<Mutation>,
    /// The running step of each thread.
    pub(super) steps: HashMap<ThreadId, Step>,
    /// The functions that read the atomics for [`Mutation::EarlyRead`], by the number of the
    /// atomic.
    readers: Vec<Reader>,
}

pub(super) type Reader = Rc<dyn Fn(Ordering) -> u64>;

/// A running step.
#[derive(Default)]
pub(super) struct Step {
    pub(super) name: &'static str,
    /// The number of the atomic that was read early, and its value.
    pub(super) early: Option<(usize, u64)>,
    pub(super) deferred: Vec<Box<dyn FnOnce()>>,
    pub(super) writes: Vec<Site>,
    pub(super) has_read: bool,
}

impl State {
    /// Resets everything before each run of a model.
    pub(super) fn begin(&mut self, second_is_spawned: bool) {
        self.second_is_spawned = second_is_spawned;
        self.readers.clear();
        self.steps.clear();
    }

    pub(super) fn add(&mut self, read: impl Fn(Ordering) -> u64 + 'static) -> usize {
        self.readers.push(Rc::new(read));
        self.readers.len() - 1
    }

    pub(super) fn reader(&self, atomic: usize) -> Reader {
        Rc::clone(&self.readers[atomic])
    }

    /// Ends the step of a thread and returns its deferred writes.
    pub(super) fn end_step(&mut self, thread: ThreadId) -> Vec<Box<dyn FnOnce()>> {
        let Step { writes, deferred, .. } = self.steps.remove(&thread).unwrap_or_default();
        if let [but_the_last @ .., _] = &*writes {
            self.mutations.extend(but_the_last.iter().map(|site| Mutation::LateWrite(*site)));
        }
        deferred
    }
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

/// Accesses the state. The closure must not use an atomic of loom, because loom may then switch to
/// another thread while the state is borrowed.
pub(super) fn state<T>(access: impl FnOnce(&mut State) -> T) -> T {
    STATE.with_borrow_mut(access)
}

pub(super) fn start(mutation: Option<Mutation>) {
    STATE.set(State { mutation, ..State::default() });
}

pub(super) fn take() -> State {
    STATE.take()
}
