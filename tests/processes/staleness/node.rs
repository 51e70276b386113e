//! The nodes of a run. A node uses the runtime of the test, its own runtime, or its own process.

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

use crate::action::{Action, LocalNode, Outcome};

pub(crate) enum Node {
    Local(LocalNode),
    /// On its own runtime with one thread, which other code may block.
    OwnRuntime(Arc<LocalNode>, Handle),
    OwnProcess(Process),
}

/// The outcome of an action, and the period in which the action took place.
pub(crate) struct Timed {
    pub(crate) start: Instant,
    pub(crate) end: Instant,
    pub(crate) outcome: Outcome,
}

impl Node {
    pub(crate) async fn perform(&self, action: Action) -> Timed {
        match self {
            Self::Local(node) => timed(node.perform(action)).await,
            Self::OwnRuntime(node, runtime) => {
                let node = Arc::clone(node);
                // Measured inside the task: the start is when the action begins, not when the task
                // is spawned.
                let task = runtime.spawn(async move { timed(node.perform(action)).await });
                task.await.expect("the action panicked")
            }
            Self::OwnProcess(process) => timed(process.perform(action)).await,
        }
    }
}

async fn timed(action: impl Future<Output = Outcome>) -> Timed {
    let start = Instant::now();
    let outcome = action.await;
    Timed { start, end: Instant::now(), outcome }
}

/// A node in its own process, which exchanges lines of JSON with this one.
pub(crate) struct Process {
    input: tokio::sync::Mutex<ChildStdin>,
    numbers: AtomicU64,
    asked: Arc<Mutex<HashMap<u64, oneshot::Sender<Outcome>>>>,
    /// The process, which is killed when this value is dropped.
    _child: Child,
}

impl Process {
    pub(crate) fn start(store: &Path, bound: Duration, disabled: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_staleness-process"))
            .arg(store)
            .arg(bound.as_millis().to_string())
            .arg(disabled)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("a process");
        let input = child.stdin.take().expect("a pipe to its input");
        let mut lines =
            BufReader::new(child.stdout.take().expect("a pipe from its output")).lines();
        let asked: Arc<Mutex<HashMap<u64, oneshot::Sender<Outcome>>>> = Arc::default();
        let waiting = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Some(line) = lines.next_line().await.expect("text") {
                let (number, outcome) = serde_json::from_str(&line).expect("an outcome");
                let sender = waiting.lock().unwrap().remove(&number).expect("an unknown number");
                // An error means that the caller no longer waits.
                let _ = sender.send(outcome);
            }
            // Dropping the senders wakes up the waiting callers, because the process has ended.
            waiting.lock().unwrap().clear();
        });
        Self { input: input.into(), numbers: AtomicU64::new(0), asked, _child: child }
    }

    async fn perform(&self, action: Action) -> Outcome {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let (sender, outcome) = oneshot::channel();
        self.asked.lock().unwrap().insert(number, sender);
        let mut line = serde_json::to_vec(&(number, action)).expect("a line");
        line.push(b'\n');
        self.input.lock().await.write_all(&line).await.expect("the process does not read");
        outcome.await.expect("the process ended without an outcome")
    }
}
