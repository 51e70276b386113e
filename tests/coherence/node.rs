//! The nodes of a run: in the test's own runtime, in a runtime of their own, in a process of their
//! own.

use std::collections::HashMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::action::{Action, Outcome, Place};

pub(crate) enum Node {
    Here(Place),
    /// On a runtime with one thread, which somebody else may block.
    Apart(Arc<Place>, Handle),
    Process(Process),
}

/// What came of an action, and the span of time that it lies within.
pub(crate) struct Timed {
    pub(crate) start: Instant,
    pub(crate) end: Instant,
    pub(crate) outcome: Outcome,
}

impl Node {
    pub(crate) async fn perform(&self, action: Action) -> Timed {
        match self {
            Self::Here(place) => timed(place.perform(action)).await,
            Self::Apart(place, runtime) => {
                let place = Arc::clone(place);
                // Timed there: the start counts when the action begins, not when it is asked for.
                let there = runtime.spawn(async move { timed(place.perform(action)).await });
                there.await.expect("the action does not panic")
            }
            Self::Process(process) => timed(process.perform(action)).await,
        }
    }
}

async fn timed(action: impl Future<Output = Outcome>) -> Timed {
    let start = Instant::now();
    let outcome = action.await;
    Timed { start, end: Instant::now(), outcome }
}

/// A node that is spoken to by lines.
pub(crate) struct Process {
    input: tokio::sync::Mutex<ChildStdin>,
    numbers: AtomicU64,
    asked: Arc<Mutex<HashMap<u64, oneshot::Sender<Outcome>>>>,
    /// Killed with the node.
    _child: Child,
}

impl Process {
    pub(crate) fn start(store: &Path, bound: Duration, disabled: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_coherence-process"))
            .arg(store)
            .arg(bound.as_millis().to_string())
            .arg(disabled)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("a process");
        let input = child.stdin.take().expect("its input");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let asked: Arc<Mutex<HashMap<u64, oneshot::Sender<Outcome>>>> = Arc::default();
        let waiting = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Some(line) = lines.next_line().await.expect("text") {
                let (number, outcome) = serde_json::from_str(&line).expect("an outcome");
                let asker = waiting.lock().unwrap().remove(&number).expect("somebody asked");
                // Who asked may have gone away.
                let _ = asker.send(outcome);
            }
            // Whoever still waits is told by this that the process is gone.
            waiting.lock().unwrap().clear();
        });
        Self { input: input.into(), numbers: AtomicU64::new(0), asked, _child: child }
    }

    async fn perform(&self, action: Action) -> Outcome {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let (asker, outcome) = oneshot::channel();
        self.asked.lock().unwrap().insert(number, asker);
        let mut line = serde_json::to_vec(&(number, action)).expect("a line");
        line.push(b'\n');
        self.input.lock().await.write_all(&line).await.expect("it listens");
        outcome.await.expect("it answers")
    }
}
