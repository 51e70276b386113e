//! Waits for changes on a connection of its own.

use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hallpass_core::store::LogPosition;
use redis::{ErrorKind, RedisError, Value};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use crate::connection::Connection;
use crate::settings::Namespace;
use crate::target::Target;

/// How long the server blocks until it replies that there is no change.
const BLOCK: Duration = Duration::from_secs(5);

/// How much longer than that a reply may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// The pause before a lost connection is made again: at first, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// What is known about the log.
#[derive(Clone, Copy, Debug, Default)]
struct LogState {
    /// The number of the newest entry.
    seq: u64,
    /// How often the connection was lost or made. Everybody who waits returns then.
    breaks: u64,
}

/// Learns of changes by a task that starts when it is first needed.
pub(crate) struct Listener {
    reader: StreamReader,
    task: Mutex<Task>,
}

enum Task {
    NotStarted,
    Running(AbortHandle),
    Closed,
}

impl Listener {
    pub(crate) fn new(target: Target, namespace: &Namespace) -> Self {
        let reader = StreamReader {
            target,
            clock: namespace.clock(),
            log: namespace.log(),
            state: watch::Sender::default(),
        };
        Self { reader, task: Mutex::new(Task::NotStarted) }
    }

    /// Waits until the log may contain something after `seen`.
    pub(crate) async fn wait_for_change(&self, seen: LogPosition) {
        let mut state = self.reader.state.subscribe();
        let breaks = state.borrow().breaks;
        self.start();
        let may_have_changed =
            |state: &LogState| state.seq > seen.seq.get() || state.breaks != breaks;
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = state.wait_for(may_have_changed).await;
    }

    fn start(&self) {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*task, Task::NotStarted) {
            *task = Task::Running(tokio::spawn(self.reader.clone().run()).abort_handle());
        }
    }

    pub(crate) fn close(&self) {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if let Task::Running(running) = std::mem::replace(&mut *task, Task::Closed) {
            running.abort();
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.close();
    }
}

/// Reads the log as long as it runs.
#[derive(Clone)]
struct StreamReader {
    target: Target,
    clock: String,
    log: String,
    state: watch::Sender<LogState>,
}

impl StreamReader {
    async fn run(self) {
        let (shortest, longest) = PAUSES;
        let mut pause = shortest;
        loop {
            if let Ok(Ok(connection)) = timeout(PATIENCE, self.target.connect()).await {
                pause = shortest;
                let Err(error) = self.follow(connection).await;
                self.state.send_modify(|state| state.breaks += 1);
                if !self.target.moved(&error) {
                    self.target.forget_primary();
                }
            } else {
                self.target.forget_primary();
            }
            sleep(pause).await;
            pause = (pause * 2).min(longest);
        }
    }

    /// Follows the log until the connection is lost.
    async fn follow(&self, mut connection: Connection) -> Result<Infallible, RedisError> {
        let timed_out = || RedisError::from((ErrorKind::Io, "no reply"));
        let mut is_new = true;
        loop {
            let get = redis::cmd("GET").arg(&self.clock).to_owned();
            let clock = timeout(PATIENCE, connection.send(&get)).await;
            let clock = clock.map_err(|_| timed_out())??;
            // Without a clock, the server was emptied. Whoever reads the log gets that error.
            let seq: Option<u64> = redis::from_redis_value(clock)?;
            let seq = seq.unwrap_or_default();
            self.state.send_modify(|state| {
                state.seq = seq;
                state.breaks += u64::from(is_new);
            });
            is_new = false;
            let mut read = redis::cmd("XREAD");
            read.arg("COUNT").arg(1).arg("BLOCK").arg(BLOCK.as_millis() as u64);
            read.arg("STREAMS").arg(&self.log).arg(format!("{seq}-0"));
            let reply = timeout(BLOCK + PATIENCE, connection.send(&read)).await;
            let _: Value = reply.map_err(|_| timed_out())??;
        }
    }
}
