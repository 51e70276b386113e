//! One thing made wrong at a time: an ordering that is weakened, a read that comes too early, a
//! write that comes too late.

mod state;

use std::any::Any;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::sync::atomic::Ordering;

use loom::thread;

use self::state::{Step, state};
use crate::models::Model;

/// Where an atomic is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Site {
    /// The source file, from the workspace's root.
    pub file: &'static str,
    /// The line, from 1.
    pub line: u32,
    column: u32,
}

impl From<&'static Location<'static>> for Site {
    fn from(at: &'static Location<'static>) -> Self {
        Self { file: at.file(), line: at.line(), column: at.column() }
    }
}

/// What is made wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Twist {
    /// The ordering that is asked for there becomes `Relaxed`.
    Weak(Site),
    /// What is read there was read before all else that its step reads.
    Early(Site, Read),
    /// What is written there is written after all else that its step writes.
    Late(Site),
}

/// One of the atomics that are read at a site, and in which step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Read {
    /// The step's name.
    pub step: &'static str,
    /// In the order in which atomics are made.
    atomic: usize,
    acquires: bool,
}

/// How a model ended.
#[derive(Debug)]
pub struct Outcome {
    /// Which promise was broken, if one was.
    pub broken: Option<&'static str>,
    /// What can be made wrong with it. All of it only if nothing was.
    pub twists: Vec<Twist>,
}

/// How an atomic is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Load,
    /// One whose ordering is not this workspace's to choose.
    LoadElsewhere,
    Store,
    /// The same of a store.
    StoreElsewhere,
}

/// How an operation is to be done.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Plan {
    Do(Ordering),
    /// It was done already.
    Remembered(u64),
    PutOff,
}

/// A promise that did not hold.
struct Broken(&'static str);

/// Ends the model: it has found what must not be.
pub(crate) fn broken(promise: &'static str) -> ! {
    // Without the hook that prints: in most runs this is what is looked for.
    resume_unwind(Box::new(Broken(promise)));
}

/// Several reads, or several writes, whose order counts.
pub(crate) fn step<T>(name: &'static str, run: impl FnOnce() -> T) -> T {
    let thread = thread::current().id();
    let early = state(|state| match state.twist {
        Some(Twist::Early(_, read)) if read.step == name => Some((state.reader(read.atomic), read)),
        _ => None,
    });
    // Nothing of the state may be held here: another thread may come between.
    let early = early.map(|(load, read)| {
        (read.atomic, load(if read.acquires { Ordering::Acquire } else { Ordering::Relaxed }))
    });
    state(|state| state.steps.insert(thread, Step { name, early, ..Step::default() }));
    let done = run();
    for late in state(|state| state.end_step(thread)) {
        late();
    }
    done
}

/// How the operation there is to be done.
pub(crate) fn plan(
    at: &'static Location<'static>,
    access: Access,
    ordering: Ordering,
    atomic: usize,
) -> Plan {
    let (site, thread) = (Site::from(at), thread::current().id());
    state(|state| {
        let is_chosen_here = matches!(access, Access::Load | Access::Store);
        if ordering != Ordering::Relaxed && is_chosen_here {
            state.twists.insert(Twist::Weak(site));
        }
        let twist = state.twist;
        let plan =
            Plan::Do(if twist == Some(Twist::Weak(site)) { Ordering::Relaxed } else { ordering });
        let Some(step) = state.steps.get_mut(&thread) else { return plan };
        if matches!(access, Access::Store | Access::StoreElsewhere) {
            step.writes.push(site);
            return if twist == Some(Twist::Late(site)) { Plan::PutOff } else { plan };
        }
        match step.early {
            Some((remembered, value))
                if remembered == atomic
                    && matches!(twist, Some(Twist::Early(there, _)) if there == site) =>
            {
                step.early = None;
                Plan::Remembered(value)
            }
            _ => {
                let acquires = ordering != Ordering::Relaxed;
                let read = Read { step: step.name, atomic, acquires };
                if step.has_read {
                    state.twists.insert(Twist::Early(site, read));
                }
                step.has_read = true;
                plan
            }
        }
    })
}

/// A new atomic, and how it is read before its time. Answers its number.
pub(crate) fn made(read: impl Fn(Ordering) -> u64 + 'static) -> usize {
    state(|state| state.add(read))
}

/// A write that is done at the end of its step.
pub(crate) fn put_off(write: impl FnOnce() + 'static) {
    let thread = thread::current().id();
    state(|state| state.steps.entry(thread).or_default().put_off.push(Box::new(write)));
}

/// Does two things at once, in two threads. Which of them is spawned makes no difference but to
/// loom's search: it leaves out some orders, and not the same ones.
pub(crate) fn at_once<A: 'static, B: 'static>(
    first: impl FnOnce() -> A + 'static,
    second: impl FnOnce() -> B + 'static,
) -> (A, B) {
    const ENDS: &str = "a thread of a model ends";
    if state(|state| state.second_is_spawned) {
        let second = thread::spawn(second);
        (first(), second.join().expect(ENDS))
    } else {
        let first = thread::spawn(first);
        let second = second();
        (first.join().expect(ENDS), second)
    }
}

/// Tries a model in every order of its steps, with one thing made wrong or none.
///
/// # Panics
///
/// The model did, other than by finding a promise broken.
#[must_use]
pub fn run(model: &Model, twist: Option<Twist>) -> Outcome {
    state::start(twist);
    let run = model.run;
    let ended = catch_unwind(AssertUnwindSafe(|| {
        for second_is_spawned in [false, true] {
            loom::model::Builder::new().check(move || {
                state(|state| state.begin(second_is_spawned));
                run();
            });
        }
    }));
    let twists = state::take().twists.into_iter().collect();
    let broken = ended.err().map(|panic: Box<dyn Any + Send>| match panic.downcast::<Broken>() {
        Ok(broken) => broken.0,
        Err(panic) => resume_unwind(panic),
    });
    Outcome { broken, twists }
}
