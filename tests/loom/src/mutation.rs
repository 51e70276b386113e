//! Mutations of a model, one at a time: a weaker memory ordering, a read that is made too early, or
//! a write that is made too late.

mod state;

use std::any::Any;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::sync::atomic::Ordering;

use loom::thread;

use self::state::{Step, state};
use crate::models::Model;

/// The source location of an atomic operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Site {
    /// The source file, relative to the root of the workspace.
    pub file: &'static str,
    /// The line number, counted from 1.
    pub line: u32,
    column: u32,
}

impl From<&'static Location<'static>> for Site {
    fn from(at: &'static Location<'static>) -> Self {
        Self { file: at.file(), line: at.line(), column: at.column() }
    }
}

/// A mutation of the code under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mutation {
    /// The memory ordering at this location is replaced by `Relaxed`.
    Relaxed(Site),
    /// The read at this location is made before all other reads of its step.
    EarlyRead(Site, Read),
    /// The write at this location is made after all other writes of its step.
    LateWrite(Site),
}

/// A read of an atomic in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Read {
    /// The name of the step.
    pub step: &'static str,
    /// The number of the atomic, in the order of creation.
    atomic: usize,
    acquires: bool,
}

/// The result of running a model.
#[derive(Debug)]
pub struct Outcome {
    /// The violation that was found, if any.
    pub violation: Option<&'static str>,
    /// The mutations that are possible in the model. The list is complete only if there was no
    /// violation.
    pub mutations: Vec<Mutation>,
}

/// The kind of an atomic operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Load,
    /// A load whose ordering another library chooses.
    LoadElsewhere,
    Store,
    /// A store whose ordering another library chooses.
    StoreElsewhere,
}

/// The way in which an operation is performed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Plan {
    /// The operation is performed now, with this ordering.
    Now(Ordering),
    /// The read was made earlier and returned this value.
    Remembered(u64),
    /// The write is made at the end of the step.
    Deferred,
}

/// The panic payload of a violated invariant.
struct Violation(&'static str);

/// Ends the model because an invariant is violated.
pub(crate) fn fail(violation: &'static str) -> ! {
    // `resume_unwind` does not call the panic hook, which would print a message. Most runs are
    // expected to end here.
    resume_unwind(Box::new(Violation(violation)));
}

/// Runs a step: several reads or several writes whose order matters.
pub(crate) fn step<T>(name: &'static str, run: impl FnOnce() -> T) -> T {
    let thread = thread::current().id();
    let early = state(|state| match state.mutation {
        Some(Mutation::EarlyRead(_, read)) if read.step == name => {
            Some((state.reader(read.atomic), read))
        }
        _ => None,
    });
    // The state must not be borrowed here, because loom may switch to another thread.
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

/// Returns the way in which the operation at a location is performed, and records the mutations
/// that are possible there.
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
            state.mutations.insert(Mutation::Relaxed(site));
        }
        let mutation = state.mutation;
        let plan = Plan::Now(if mutation == Some(Mutation::Relaxed(site)) {
            Ordering::Relaxed
        } else {
            ordering
        });
        let Some(step) = state.steps.get_mut(&thread) else { return plan };
        if matches!(access, Access::Store | Access::StoreElsewhere) {
            step.writes.push(site);
            return if mutation == Some(Mutation::LateWrite(site)) { Plan::Deferred } else { plan };
        }
        match step.early {
            Some((remembered, value))
                if remembered == atomic
                    && matches!(mutation, Some(Mutation::EarlyRead(there, _)) if there == site) =>
            {
                step.early = None;
                Plan::Remembered(value)
            }
            _ => {
                let acquires = ordering != Ordering::Relaxed;
                let read = Read { step: step.name, atomic, acquires };
                if step.has_read {
                    state.mutations.insert(Mutation::EarlyRead(site, read));
                }
                step.has_read = true;
                plan
            }
        }
    })
}

/// Registers a new atomic and returns its number. `read` reads it for [`Mutation::EarlyRead`].
pub(crate) fn register(read: impl Fn(Ordering) -> u64 + 'static) -> usize {
    state(|state| state.add(read))
}

/// Defers a write to the end of the current step.
pub(crate) fn defer(write: impl FnOnce() + 'static) {
    let thread = thread::current().id();
    state(|state| state.steps.entry(thread).or_default().deferred.push(Box::new(write)));
}

/// Runs two closures concurrently and returns their results. Only one of them runs in a spawned
/// thread. The choice matters only for loom's search, which skips different interleavings in each
/// case.
pub(crate) fn concurrently<A: 'static, B: 'static>(
    first: impl FnOnce() -> A + 'static,
    second: impl FnOnce() -> B + 'static,
) -> (A, B) {
    const ENDS: &str = "a thread of the model panicked";
    if state(|state| state.second_is_spawned) {
        let second = thread::spawn(second);
        (first(), second.join().expect(ENDS))
    } else {
        let first = thread::spawn(first);
        let second = second();
        (first.join().expect(ENDS), second)
    }
}

/// Runs a model with every interleaving that loom finds, with at most one mutation.
///
/// # Panics
///
/// Panics if the model panics for any reason other than a violated invariant.
#[must_use]
pub fn run(model: &Model, mutation: Option<Mutation>) -> Outcome {
    state::start(mutation);
    let run = model.run;
    let ended = catch_unwind(AssertUnwindSafe(|| {
        for second_is_spawned in [false, true] {
            loom::model::Builder::new().check(move || {
                state(|state| state.begin(second_is_spawned));
                run();
            });
        }
    }));
    let mutations = state::take().mutations.into_iter().collect();
    let violation =
        ended.err().map(|panic: Box<dyn Any + Send>| match panic.downcast::<Violation>() {
            Ok(violation) => violation.0,
            Err(panic) => resume_unwind(panic),
        });
    Outcome { violation, mutations }
}
