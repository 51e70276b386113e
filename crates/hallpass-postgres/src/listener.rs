//! Wakes up the calls that wait for changes, both for changes of this store and for notifications
//! from other stores.
//!
//! This only reduces latency. Correctness depends on reading the log. When a connection is lost, an
//! unknown number of notifications is lost, too. So each loss, and each new start of listening,
//! wakes up every waiting call.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hallpass_core::store::{ChangeSeq, LogPosition};
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::connections::timed_out;

/// The time after which a silent connection is tested.
const SILENCE: Duration = Duration::from_secs(15);

/// The maximum time for connecting, and for the test.
const TIMEOUT: Duration = Duration::from_secs(2);

/// The initial and the maximum pause before reconnecting.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// The state of the log, as far as it is known.
#[derive(Clone, Copy, Debug, Default)]
struct LogState {
    /// The number of the newest entry.
    seq: u64,
    /// The number of times that notifications may have been missed. Each time, every waiting call
    /// returns.
    gaps: u64,
}

/// The listener, with a task that starts when it is first needed.
#[derive(Debug)]
pub(crate) struct Listener {
    state: watch::Sender<LogState>,
    /// The server and the channel to listen to; `None` if the store does not listen.
    server: Option<(PgConnectOptions, String)>,
    task: Mutex<Task>,
}

/// The task of a listener.
#[derive(Debug)]
enum Task {
    /// No call has waited for changes yet.
    NotStarted,
    /// The task is running.
    Running(AbortHandle),
    /// The store was closed.
    Closed,
}

impl Listener {
    pub(crate) fn new(server: Option<(PgConnectOptions, String)>) -> Self {
        Self { state: watch::Sender::default(), server, task: Mutex::new(Task::NotStarted) }
    }

    /// Announces an entry of the log.
    pub(crate) fn advance(&self, seq: ChangeSeq) {
        advance(&self.state, seq.get());
    }

    /// Returns the newest number that was announced.
    pub(crate) fn announced(&self) -> u64 {
        self.state.borrow().seq
    }

    /// Starts again at `head` if a higher number was announced before the log was read. In that
    /// case, another server has taken over without the last changes. Without this, its next changes
    /// would not wake up any call until their numbers exceed the old ones.
    pub(crate) fn follow_history(&self, announced_before: u64, head: ChangeSeq) {
        self.state.send_if_modified(|state| {
            let is_shorter = head.get() < announced_before && state.seq == announced_before;
            if is_shorter {
                state.seq = head.get();
            }
            is_shorter
        });
    }

    /// Waits until the log may contain something after `seen`. The first call starts listening.
    pub(crate) async fn wait(&self, seen: LogPosition) {
        let mut state = self.state.subscribe();
        let gaps = state.borrow_and_update().gaps;
        self.start();
        let may_have_changed = |state: &LogState| state.seq > seen.seq.get() || state.gaps != gaps;
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = state.wait_for(may_have_changed).await;
    }

    fn start(&self) {
        let Some((server, channel)) = &self.server else { return };
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*task, Task::NotStarted) {
            let listening =
                tokio::spawn(listen(server.clone(), channel.clone(), self.state.clone()));
            *task = Task::Running(listening.abort_handle());
        }
    }

    /// Stops listening, and prevents a later start.
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

fn advance(state: &watch::Sender<LogState>, seq: u64) {
    state.send_if_modified(|state| {
        let is_new = seq > state.seq;
        state.seq = state.seq.max(seq);
        is_new
    });
}

/// Listens until it is stopped, on a connection of its own.
async fn listen(server: PgConnectOptions, channel: String, state: watch::Sender<LogState>) {
    let (shortest, longest) = PAUSES;
    let mut pause = shortest;
    loop {
        let started = Instant::now();
        match start(&server, &channel).await {
            Ok(mut listener) => {
                // Earlier notifications were missed.
                state.send_modify(|state| state.gaps += 1);
                let error = receive(&mut listener, &state).await;
                tracing::warn!(
                    target: "hallpass",
                    error = error.as_ref().map(tracing::field::display),
                    "LISTEN connection lost, falling back to polling"
                );
                state.send_modify(|state| state.gaps += 1);
            }
            Err(error) => {
                tracing::debug!(target: "hallpass", %error, "could not open the LISTEN connection");
            }
        }
        // A pooler may accept each connection and end it soon.
        if started.elapsed() > longest {
            pause = shortest;
        }
        sleep(pause).await;
        pause = (pause * 2).min(longest);
    }
}

async fn start(server: &PgConnectOptions, channel: &str) -> Result<PgListener, sqlx::Error> {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(TIMEOUT)
        .max_lifetime(None)
        .idle_timeout(None)
        .connect_lazy_with(server.clone());
    let mut listener = PgListener::connect_with(&pool).await?;
    // Otherwise it would connect again before it reports that the connection was lost.
    listener.eager_reconnect(false);
    let listening = timeout(TIMEOUT, listener.listen(channel)).await;
    listening.unwrap_or(Err(sqlx::Error::PoolTimedOut))?;
    Ok(listener)
}

/// Receives notifications until the connection is lost. Returns the reason, if it is known.
async fn receive(
    listener: &mut PgListener,
    state: &watch::Sender<LogState>,
) -> Option<sqlx::Error> {
    loop {
        match timeout(SILENCE, listener.try_recv()).await {
            Ok(Ok(Some(notification))) => match notification.payload().parse() {
                Ok(seq) => advance(state, seq),
                // Another application or version has sent the notification, so its meaning is
                // unknown.
                Err(_) => state.send_modify(|state| state.gaps += 1),
            },
            Ok(Ok(None)) => return None,
            Ok(Err(error)) => return Some(error),
            Err(_) => {
                let test = sqlx::raw_sql("SELECT 1").execute(&mut *listener);
                match timeout(TIMEOUT, test).await {
                    Ok(Ok(_)) => {}
                    Ok(Err(error)) => return Some(error),
                    Err(_) => return Some(timed_out()),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(seq: u64) -> LogPosition {
        LogPosition { seq: ChangeSeq::new(seq), nonce: 0 }
    }

    async fn wakes_up(listener: &Listener, seen: u64) -> bool {
        timeout(Duration::from_millis(20), listener.wait(position(seen))).await.is_ok()
    }

    #[tokio::test]
    async fn only_newer_entries_wake_up_a_waiter() {
        let listener = Listener::new(None);
        assert!(!wakes_up(&listener, 0).await);
        listener.advance(ChangeSeq::new(7));
        listener.advance(ChangeSeq::new(5));
        assert!(wakes_up(&listener, 6).await);
        assert!(!wakes_up(&listener, 7).await);
    }

    #[tokio::test]
    async fn shorter_history_is_followed_from_its_end() {
        let listener = Listener::new(None);
        listener.advance(ChangeSeq::new(7));
        // The log was read when 7 was announced, and ends with 3.
        listener.follow_history(7, ChangeSeq::new(3));
        assert!(!wakes_up(&listener, 3).await);
        listener.advance(ChangeSeq::new(4));
        assert!(wakes_up(&listener, 3).await);
        // A number that was announced while the log was read stays.
        listener.follow_history(3, ChangeSeq::new(3));
        listener.follow_history(5, ChangeSeq::new(3));
        assert!(wakes_up(&listener, 3).await);
    }

    #[tokio::test]
    async fn gap_wakes_up_a_waiter() {
        let listener = std::sync::Arc::new(Listener::new(None));
        let waiting = tokio::spawn({
            let listener = listener.clone();
            async move { listener.wait(position(9)).await }
        });
        while listener.state.receiver_count() == 0 {
            tokio::task::yield_now().await;
        }
        listener.state.send_modify(|state| state.gaps += 1);
        waiting.await.unwrap();
    }
}
