//! Hears of changes as they are made: a line of its own on which the log is waited for.

use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hallpass_core::store::LogPosition;
use redis::{ErrorKind, RedisError, Value};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use crate::line::Line;
use crate::settings::Namespace;
use crate::target::Target;

/// How long the server is let wait for a change before it is asked again.
const WAIT: Duration = Duration::from_secs(5);

/// How much longer than that an answer may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long after a lost line the next is tried: at first, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// What has been heard.
#[derive(Clone, Copy, Debug, Default)]
struct Heard {
    /// How far the log has come.
    seq: u64,
    /// How often a line was lost or found: whoever waits has a look then.
    breaks: u64,
}

/// Hears of changes, once somebody wants to know.
pub(crate) struct Listener {
    target: Target,
    clock: String,
    lines: String,
    heard: watch::Sender<Heard>,
    task: Mutex<Task>,
}

enum Task {
    Wanted,
    Running(AbortHandle),
    Closed,
}

impl Listener {
    pub(crate) fn new(target: Target, namespace: &Namespace) -> Self {
        Self {
            target,
            clock: namespace.clock(),
            lines: namespace.lines(),
            heard: watch::Sender::default(),
            task: Mutex::new(Task::Wanted),
        }
    }

    /// Until there may be something behind that place.
    pub(crate) async fn nudged(&self, seen: LogPosition) {
        let mut heard = self.heard.subscribe();
        let breaks = heard.borrow().breaks;
        self.start();
        let news = |heard: &Heard| heard.seq > seen.seq.get() || heard.breaks != breaks;
        // The sender lives as long as this does.
        let _ = heard.wait_for(news).await;
    }

    fn start(&self) {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*task, Task::Wanted) {
            let ear = Ear {
                target: self.target.clone(),
                clock: self.clock.clone(),
                lines: self.lines.clone(),
                heard: self.heard.clone(),
            };
            *task = Task::Running(tokio::spawn(ear.listen()).abort_handle());
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

/// What the task has.
struct Ear {
    target: Target,
    clock: String,
    lines: String,
    heard: watch::Sender<Heard>,
}

impl Ear {
    async fn listen(self) {
        let (shortest, longest) = PAUSES;
        let mut pause = shortest;
        loop {
            if let Ok(Ok(line)) = timeout(PATIENCE, self.target.connect()).await {
                pause = shortest;
                let Err(error) = self.follow(line).await;
                self.heard.send_modify(|heard| heard.breaks += 1);
                if !self.target.moved(&error) {
                    self.target.doubt();
                }
            } else {
                self.target.doubt();
            }
            sleep(pause).await;
            pause = (pause * 2).min(longest);
        }
    }

    /// Follows the log until the line is lost.
    async fn follow(&self, mut line: Line) -> Result<Infallible, RedisError> {
        let late = || RedisError::from((ErrorKind::Io, "no answer"));
        let mut is_new = true;
        loop {
            let ask = redis::cmd("GET").arg(&self.clock).to_owned();
            let clock = timeout(PATIENCE, line.ask(&ask)).await.map_err(|_| late())??;
            // No clock, no number: the server was emptied, as whoever looks at the log will see.
            let seq: Option<u64> = redis::from_redis_value(clock)?;
            let seq = seq.unwrap_or_default();
            self.heard.send_modify(|heard| {
                heard.seq = seq;
                heard.breaks += u64::from(is_new);
            });
            is_new = false;
            let mut wait = redis::cmd("XREAD");
            wait.arg("COUNT").arg(1).arg("BLOCK").arg(WAIT.as_millis() as u64);
            wait.arg("STREAMS").arg(&self.lines).arg(format!("{seq}-0"));
            let _: Value =
                timeout(WAIT + PATIENCE, line.ask(&wait)).await.map_err(|_| late())??;
        }
    }
}
