use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::atomic::Ordering;

use loom::thread::ThreadId;

use super::{Site, Twist};

/// What goes on in the one thread of the operating system that a model and all its threads run on.
#[derive(Default)]
pub(super) struct State {
    pub(super) twist: Option<Twist>,
    /// Of two that go on at once, the second is the thread that is spawned.
    pub(super) second_is_spawned: bool,
    /// All that can be made wrong, as far as it was seen.
    pub(super) twists: BTreeSet<Twist>,
    /// By which thread is in it.
    pub(super) steps: HashMap<ThreadId, Step>,
    /// How each atomic is read before its time.
    readers: Vec<Reader>,
}

pub(super) type Reader = Rc<dyn Fn(Ordering) -> u64>;

/// A step that is under way.
#[derive(Default)]
pub(super) struct Step {
    pub(super) name: &'static str,
    /// What was read before its time, of which atomic.
    pub(super) early: Option<(usize, u64)>,
    pub(super) put_off: Vec<Box<dyn FnOnce()>>,
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

    /// Answers what is still to be done.
    pub(super) fn end_step(&mut self, thread: ThreadId) -> Vec<Box<dyn FnOnce()>> {
        let Step { writes, put_off, .. } = self.steps.remove(&thread).unwrap_or_default();
        if let [but_the_last @ .., _] = &*writes {
            self.twists.extend(but_the_last.iter().map(|site| Twist::Late(*site)));
        }
        put_off
    }
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

/// Looks at it, or changes it. No step of the model may be done in here, since another thread may
/// then come.
pub(super) fn state<T>(look: impl FnOnce(&mut State) -> T) -> T {
    STATE.with_borrow_mut(look)
}

pub(super) fn start(twist: Option<Twist>) {
    STATE.set(State { twist, ..State::default() });
}

pub(super) fn take() -> State {
    STATE.take()
}
