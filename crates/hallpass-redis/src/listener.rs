//! Waits for changes, on its own connection.

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

/// The time for which the server blocks before it replies that there is no change.
const BLOCK: Duration = Duration::from_secs(5);

/// The additional time that a reply may take.
const TIMEOUT: Duration = Duration::from_secs(2);

/// The pause before a lost connection is made again: the first pause, and the longest one.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// The state of the log, as far as it is known.
#[derive(Clone, Copy, Debug, Default)]
struct LogState {
    /// The sequence number of the newest entry.
    seq: u64,
    /// The number of times that the connection was lost or made. All waiting calls return then,
    /// because a change may have been missed.
    breaks: u64,
}

/// A listener for changes. Its task starts when it is first needed.
pub(crate) struct Listener {
    reader: StreamReader,
    task: Mutex<Task>,
}

/// The task of a listener.
enum Task {
    /// No call has waited for changes yet.
    NotStarted,
    /// The task is running.
    Running(AbortHandle),
    /// The store was closed.
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

    /// Waits until the log may contain an entry after `seen`.
    pub(crate) async fn wait_for_change(&self, seen: LogPosition) {
        let mut state = self.reader.state.subscribe();
        let breaks = state.borrow().breaks;
        self.start();
        let may_have_changed =
            |state: &LogState| state.seq > seen.seq.get() || state.breaks != breaks;
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = state.wait_for(may_have_changed).await;
    }

    /// Starts the task if it was not started yet.
    fn start(&self) {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*task, Task::NotStarted) {
            *task = Task::Running(tokio::spawn(self.reader.clone().run()).abort_handle());
        }
    }

    /// Ends the task, and prevents a later start.
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

/// A reader of the stream that contains the log.
#[derive(Clone)]
struct StreamReader {
    target: Target,
    clock: String,
    log: String,
    state: watch::Sender<LogState>,
}

impl StreamReader {
    /// Follows the log, and connects again whenever the connection is lost.
    async fn run(self) {
        let (shortest, longest) = PAUSES;
        let mut pause = shortest;
        loop {
            if let Ok(Ok(connection)) = timeout(TIMEOUT, self.target.connect()).await {
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
        // The number after which the server has just reported an entry.
        let mut changed_after = None;
        loop {
            let get = redis::cmd("GET").arg(&self.clock).to_owned();
            let clock = timeout(TIMEOUT, connection.send(&get)).await;
            let clock = clock.map_err(|_| timed_out())??;
            // If there is no clock, the server was emptied. The caller that then reads the log gets
            // that error.
            let seq: Option<u64> = redis::from_redis_value(clock)?;
            let seq = seq.unwrap_or_default();
            if changed_after.is_some_and(|before| seq <= before) {
                // Each entry advances the clock, so a part of the keys was lost. The server would
                // report the same entry again at once.
                sleep(PAUSES.1).await;
            }
            self.state.send_modify(|state| {
                state.seq = seq;
                state.breaks += u64::from(is_new);
            });
            is_new = false;
            let mut read = redis::cmd("XREAD");
            read.arg("COUNT").arg(1).arg("BLOCK").arg(BLOCK.as_millis() as u64);
            read.arg("STREAMS").arg(&self.log).arg(format!("{seq}-0"));
            let reply = timeout(BLOCK + TIMEOUT, connection.send(&read)).await;
            let reply = reply.map_err(|_| timed_out())??;
            changed_after = (reply != Value::Nil).then_some(seq);
        }
    }
}
