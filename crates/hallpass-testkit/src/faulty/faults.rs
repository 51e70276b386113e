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

/// What is wrong with a [`FaultyStore`](super::FaultyStore), and what it was asked. Clones are one.
#[derive(Clone, Default)]
pub struct Faults(Arc<Shared>);

#[derive(Default)]
struct Shared {
    scripts: Mutex<HashMap<Operation, VecDeque<Scene>>>,
    calls: [AtomicU64; Operation::ALL.len()],
    nudge: Notify,
}

/// A fault, and for how many calls it stands; without a number, for all that follow.
struct Scene {
    fault: Fault,
    left: Option<u32>,
}

type Meanwhile = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What goes wrong with one call.
#[derive(Clone)]
pub(super) enum Fault {
    /// Nothing is done, and this is answered.
    Refuse(Arc<dyn Fn() -> StoreError + Send + Sync>),
    /// It is done, and nobody is told.
    LoseAnswer,
    /// It is done once the gate is open.
    Stall(Gate),
    /// It is done, and answered once the gate is open.
    Hold(Gate),
    /// It is done after this time.
    Delay(Duration),
    /// It is done, something else happens, and only then it is answered.
    Meanwhile(Arc<Mutex<Option<Meanwhile>>>),
    /// Another token is looked up.
    AnswerWith(TokenId),
    /// The change log looks as it did last.
    StandStill,
    /// The same nudge comes once more.
    Repeat,
}

impl Faults {
    /// Begins to say what goes wrong with these calls: one verb, or several.
    ///
    /// ```
    /// # use hallpass_testkit::{Faults, Operation};
    /// # let faults = Faults::default();
    /// faults.on(Operation::Get).fail();
    /// faults.on([Operation::Get, Operation::List]).once().fail();
    /// faults.on(Operation::WRITES).lose_answer();
    /// ```
    pub fn on(&self, verbs: impl IntoIterator<Item = Operation>) -> FaultsOn<'_> {
        FaultsOn { faults: self, verbs: verbs.into_iter().collect(), times: None }
    }

    /// Ends all faults. Calls that wait at a [`Gate`] already go on when that is opened.
    pub fn heal(&self) {
        self.on(Operation::ALL).heal();
    }

    /// Makes a nudge come, for nothing.
    pub fn nudge(&self) {
        self.0.nudge.notify_one();
    }

    /// How many of these calls have come so far, whatever became of them.
    #[must_use]
    pub fn calls(&self, verbs: impl IntoIterator<Item = Operation>) -> u64 {
        verbs.into_iter().map(|verb| self.0.calls[verb as usize].load(Ordering::SeqCst)).sum()
    }

    pub(super) fn count(&self, verb: Operation) {
        self.0.calls[verb as usize].fetch_add(1, Ordering::SeqCst);
    }

    pub(super) async fn nudged(&self) {
        self.0.nudge.notified().await;
    }

    fn scripts(&self) -> MutexGuard<'_, HashMap<Operation, VecDeque<Scene>>> {
        self.0.scripts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, verb: Operation, scene: Scene) {
        let mut scripts = self.scripts();
        let script = scripts.entry(verb).or_default();
        if script.back().is_some_and(|last| last.left.is_none()) {
            script.pop_back();
        }
        script.push_back(scene);
    }

    fn take(&self, verb: Operation) -> Option<Fault> {
        let mut scripts = self.scripts();
        let script = scripts.get_mut(&verb)?;
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

    /// The fault of a call that has just come, once it no longer stalls.
    pub(super) async fn next(&self, verb: Operation) -> Option<Fault> {
        loop {
            match self.take(verb) {
                // What has been set meanwhile is what it meets now.
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

/// The calls that something goes wrong with: made by [`Faults::on`]; what goes wrong is the last
/// word.
///
/// A fault stands until [`heal`](Self::heal), or for as many calls as [`times`](Self::times) says,
/// of each verb. Those with a number are met one after the other, in the order they were set in;
/// one without is replaced by the next that is set.
#[must_use = "it is not said yet what goes wrong"]
pub struct FaultsOn<'a> {
    faults: &'a Faults,
    verbs: Vec<Operation>,
    times: Option<u32>,
}

impl FaultsOn<'_> {
    /// With the next call only.
    pub fn once(self) -> Self {
        self.times(1)
    }

    /// With so many calls only.
    ///
    /// # Panics
    ///
    /// With none at all.
    #[track_caller]
    pub fn times(mut self, calls: u32) -> Self {
        assert!(calls > 0, "a fault that no call meets is none");
        self.times = Some(calls);
        self
    }

    /// The store cannot be reached; nothing is done.
    pub fn fail(self) {
        self.fail_with(|| StoreError::unavailable("broken by a test"));
    }

    /// The store answers this error; nothing is done.
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
        self.set(Fault::Refuse(Arc::new(error)));
    }

    /// The connection is lost before the call arrives: nothing is done, and nobody can tell.
    pub fn lose_call(self) {
        self.fail_with(|| StoreError::outcome_unknown("cut by a test before it was done"));
    }

    /// The connection is lost after the call was made: it is done, and nobody can tell. A nudge is
    /// lost for good.
    pub fn lose_answer(self) {
        self.set(Fault::LoseAnswer);
    }

    /// Calls wait, and are made once the gate is open. What is set meanwhile is what they meet
    /// then.
    #[must_use = "without the gate, nobody lets the calls go"]
    pub fn stall(self) -> Gate {
        let gate = Gate::shut();
        self.set(Fault::Stall(gate.clone()));
        gate
    }

    /// Calls are made, and answered once the gate is open: with what was true when they were made.
    #[must_use = "without the gate, nobody lets the calls go"]
    pub fn hold(self) -> Gate {
        let gate = Gate::shut();
        self.set(Fault::Hold(gate.clone()));
        gate
    }

    /// Calls are made this much later, in the time of tokio, which a test can pause.
    pub fn delay(self, by: Duration) {
        self.set(Fault::Delay(by));
    }

    /// The next call is made, then this happens, and only then the call is answered: a race that is
    /// always lost.
    pub fn meanwhile(self, what: impl Future<Output = ()> + Send + 'static) {
        self.once().set(Fault::Meanwhile(Arc::new(Mutex::new(Some(Box::pin(what))))));
    }

    /// Whatever token is looked up, the answer is this one's.
    ///
    /// # Panics
    ///
    /// Of another verb than [`Operation::Get`].
    #[track_caller]
    pub fn answer_with(self, id: TokenId) {
        self.only(Operation::Get, "a look-up answers with a token");
        self.set(Fault::AnswerWith(id));
    }

    /// The change log answers as if nothing had happened since it was last read, or since now if it
    /// never was. No store may: it is how a test of that promise sees it broken.
    ///
    /// # Panics
    ///
    /// Of another verb than [`Operation::Changes`].
    #[track_caller]
    pub fn stand_still(self) {
        self.only(Operation::Changes, "the change log can stand still");
        self.set(Fault::StandStill);
    }

    /// Each nudge is followed by another one at once.
    ///
    /// # Panics
    ///
    /// Of another verb than [`Operation::WaitForChange`].
    #[track_caller]
    pub fn repeat(self) {
        self.only(Operation::WaitForChange, "a nudge can be repeated");
        self.set(Fault::Repeat);
    }

    /// Ends the faults of these calls.
    pub fn heal(self) {
        let mut scripts = self.faults.scripts();
        for verb in self.verbs {
            scripts.remove(&verb);
        }
    }

    #[track_caller]
    fn only(&self, verb: Operation, what: &str) {
        assert!(self.verbs == [verb], "only {what}: say so of `Operation::{verb:?}`");
    }

    fn set(self, fault: Fault) {
        for verb in self.verbs {
            self.faults.push(verb, Scene { fault: fault.clone(), left: self.times });
        }
    }
}

impl fmt::Debug for FaultsOn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultsOn")
            .field("verbs", &self.verbs)
            .field("times", &self.times)
            .finish_non_exhaustive()
    }
}
