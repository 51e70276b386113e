//! Faults, and the calls that they affect.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hallpass_core::TokenId;
use hallpass_core::store::StoreError;
use tokio::sync::Notify;

use super::{Gate, Operation};

/// The faults of a [`FaultyStore`](super::FaultyStore), and the number of its calls. Clones share
/// their state.
#[derive(Clone, Default)]
pub struct Faults(Arc<Shared>);

/// The state that clones share.
#[derive(Default)]
struct Shared {
    scripts: Mutex<HashMap<Operation, VecDeque<Scene>>>,
    calls: [AtomicU64; Operation::ALL.len()],
    notify: Notify,
}

/// A fault, and the number of calls that it still affects. `None` means all later calls.
struct Scene {
    fault: Fault,
    left: Option<u32>,
}

type Meanwhile = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A fault of a call.
#[derive(Clone)]
pub(super) enum Fault {
    /// The call is not made, and returns this error.
    Reject(Arc<dyn Fn() -> StoreError + Send + Sync>),
    /// The call is made, but its result is lost.
    LoseAnswer,
    /// The call is made after the gate was opened.
    Stall(Gate),
    /// The call is made, and returns after the gate was opened.
    Hold(Gate),
    /// The call is made after this time.
    Delay(Duration),
    /// The call is made, then the future runs, and then the call returns.
    Meanwhile(Arc<Mutex<Option<Meanwhile>>>),
    /// The call returns another token.
    AnswerWith(TokenId),
    /// The call returns the change log as it was before.
    StandStill,
    /// The same notification arrives once more.
    Repeat,
}

impl Faults {
    /// Selects the calls of one or several operations, for a fault that is set next.
    ///
    /// ```
    /// # use hallpass_testkit::{Faults, Operation};
    /// # let faults = Faults::default();
    /// faults.on(Operation::Get).fail();
    /// faults.on([Operation::Get, Operation::List]).once().fail();
    /// faults.on(Operation::WRITES).lose_answer();
    /// ```
    pub fn on(&self, operations: impl IntoIterator<Item = Operation>) -> FaultsOn<'_> {
        FaultsOn { faults: self, operations: operations.into_iter().collect(), times: None }
    }

    /// Ends all faults. A call that waits at a [`Gate`] continues when the gate is opened.
    pub fn heal(&self) {
        self.on(Operation::ALL).heal();
    }

    /// Sends a notification although nothing has changed.
    pub fn notify(&self) {
        self.0.notify.notify_one();
    }

    /// Returns the number of calls of one or several operations, including those that failed.
    #[must_use]
    pub fn calls(&self, operations: impl IntoIterator<Item = Operation>) -> u64 {
        operations
            .into_iter()
            .map(|operation| self.0.calls[operation as usize].load(Ordering::SeqCst))
            .sum()
    }

    /// Counts a call.
    pub(super) fn count(&self, operation: Operation) {
        self.0.calls[operation as usize].fetch_add(1, Ordering::SeqCst);
    }

    /// Waits for a notification of [`notify`](Self::notify).
    pub(super) async fn notified(&self) {
        self.0.notify.notified().await;
    }

    fn scripts(&self) -> MutexGuard<'_, HashMap<Operation, VecDeque<Scene>>> {
        self.0.scripts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a fault after those that affect a limited number of calls. It replaces one without a
    /// limit.
    fn push(&self, operation: Operation, scene: Scene) {
        let mut scripts = self.scripts();
        let script = scripts.entry(operation).or_default();
        if script.back().is_some_and(|last| last.left.is_none()) {
            script.pop_back();
        }
        script.push_back(scene);
    }

    /// Returns the fault of the next call.
    fn take(&self, operation: Operation) -> Option<Fault> {
        let mut scripts = self.scripts();
        let script = scripts.get_mut(&operation)?;
        let scene = script.front_mut()?;
        let fault = scene.fault.clone();
        if let Some(left) = &mut scene.left {
            *left -= 1;
            if *left == 0 {
                script.pop_front();
            }
        }
        Some(fault)
    }

    /// Returns the fault of a new call, after the call has passed all gates.
    pub(super) async fn next(&self, operation: Operation) -> Option<Fault> {
        loop {
            match self.take(operation) {
                // After the gate, a fault that was set in the meantime applies.
                Some(Fault::Stall(gate)) if !gate.is_open() => gate.pass().await,
                Some(Fault::Stall(_)) => return None,
                fault => return fault,
            }
        }
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faulty: Vec<_> = self
            .scripts()
            .iter()
            .filter(|(_, script)| !script.is_empty())
            .map(|(v, _)| *v)
            .collect();
        f.debug_struct("Faults").field("on", &faulty).finish_non_exhaustive()
    }
}

/// The calls that a fault affects, selected with [`Faults::on`]. The last method sets the fault.
///
/// A fault lasts until [`heal`](Self::heal), or for the number of calls of each operation that
/// [`times`](Self::times) sets. Faults with a number apply one after the other, in the order in
/// which they were set. A fault without a number is replaced by the next one.
#[must_use = "this has no effect until a fault is set"]
pub struct FaultsOn<'a> {
    faults: &'a Faults,
    operations: Vec<Operation>,
    times: Option<u32>,
}

impl FaultsOn<'_> {
    /// Limits the fault to the next call.
    pub fn once(self) -> Self {
        self.times(1)
    }

    /// Limits the fault to this number of calls.
    ///
    /// # Panics
    ///
    /// Panics if the number is 0.
    #[track_caller]
    pub fn times(mut self, calls: u32) -> Self {
        assert!(calls > 0, "a fault must affect at least one call");
        self.times = Some(calls);
        self
    }

    /// Makes the calls fail as if the store could not be reached. Nothing is changed.
    pub fn fail(self) {
        self.fail_with(|| StoreError::unavailable("the test makes this call fail"));
    }

    /// Makes the calls return this error. Nothing is changed.
    ///
    /// ```
    /// # use hallpass_testkit::{Faults, Operation};
    /// # let faults = Faults::default();
    /// use hallpass_core::store::StoreError;
    ///
    /// faults.on(Operation::WRITES).fail_with(|| StoreError::read_only("a standby"));
    /// faults.on(Operation::Get).once().fail_with(|| StoreError::corrupt("a row of another version"));
    /// ```
    pub fn fail_with(self, error: impl Fn() -> StoreError + Send + Sync + 'static) {
        self.set(Fault::Reject(Arc::new(error)));
    }

    /// Makes the calls fail as if the connection was lost before they arrived. Nothing is changed,
    /// but the error reports an unknown outcome.
    pub fn lose_call(self) {
        self.fail_with(|| {
            StoreError::outcome_unknown("the test cut the connection before the call was made")
        });
    }

    /// Makes the calls fail as if the connection was lost after they were made. The change is made,
    /// but the error reports an unknown outcome. A notification is lost.
    pub fn lose_answer(self) {
        self.set(Fault::LoseAnswer);
    }

    /// Makes the calls wait until the gate is opened. A fault that is set in the meantime applies
    /// to them.
    #[must_use = "the calls wait until the gate is opened"]
    pub fn stall(self) -> Gate {
        let gate = Gate::shut();
        self.set(Fault::Stall(gate.clone()));
        gate
    }

    /// Makes the calls at once, but delays their results until the gate is opened. The results may
    /// be outdated by then.
    #[must_use = "the calls wait until the gate is opened"]
    pub fn hold(self) -> Gate {
        let gate = Gate::shut();
        self.set(Fault::Hold(gate.clone()));
        gate
    }

    /// Delays the calls. The delay uses tokio's time, which a test can pause.
    pub fn delay(self, by: Duration) {
        self.set(Fault::Delay(by));
    }

    /// Makes the next call, then runs the future to completion, and then returns from the call. The
    /// caller loses every race against the future.
    pub fn meanwhile(self, what: impl Future<Output = ()> + Send + 'static) {
        self.once().set(Fault::Meanwhile(Arc::new(Mutex::new(Some(Box::pin(what))))));
    }

    /// Makes the calls return this token, whichever one is looked up.
    ///
    /// # Panics
    ///
    /// Panics for an operation other than [`Operation::Get`].
    #[track_caller]
    pub fn answer_with(self, id: TokenId) {
        self.only(Operation::Get, "a lookup can return another token");
        self.set(Fault::AnswerWith(id));
    }

    /// Makes the change log look as if nothing had changed since it was last read, or since now if
    /// it was never read. This violates the store contract, and shows what a cache would then
    /// accept.
    ///
    /// # Panics
    ///
    /// Panics for an operation other than [`Operation::Changes`].
    #[track_caller]
    pub fn stand_still(self) {
        self.only(Operation::Changes, "the change log can stand still");
        self.set(Fault::StandStill);
    }

    /// Repeats each notification.
    ///
    /// # Panics
    ///
    /// Panics for an operation other than [`Operation::WaitForChange`].
    #[track_caller]
    pub fn repeat(self) {
        self.only(Operation::WaitForChange, "a notification can be repeated");
        self.set(Fault::Repeat);
    }

    /// Ends the faults of these calls.
    pub fn heal(self) {
        let mut scripts = self.faults.scripts();
        for operation in self.operations {
            scripts.remove(&operation);
        }
    }

    #[track_caller]
    fn only(&self, operation: Operation, what: &str) {
        assert!(self.operations == [operation], "only {what}: use `Operation::{operation:?}`");
    }

    fn set(self, fault: Fault) {
        for operation in self.operations {
            self.faults.push(operation, Scene { fault: fault.clone(), left: self.times });
        }
    }
}

impl fmt::Debug for FaultsOn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultsOn")
            .field("operations", &self.operations)
            .field("times", &self.times)
            .finish_non_exhaustive()
    }
}
