//! What tells a cache to look at the log now: this handle's own changes, and the server's
//! notifications of others'.
//!
//! No promise rests on it. Notifications are lost with the connection that they would have come on,
//! and nothing says that any were: so each loss, and each new start of listening, is a reason to
//! look.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hallpass_core::store::{ChangeSeq, LogPosition};
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

/// How long a line may be silent until it is asked whether it is still there.
const SILENCE: Duration = Duration::from_secs(15);

/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long it takes until listening is tried again: at first, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// What was heard so far.
#[derive(Clone, Copy, Debug, Default)]
struct Heard {
    /// The latest number of the log.
    seq: u64,
    /// How often something may have been missed.
    gaps: u64,
}

/// Who listens, and who waits for what is heard.
#[derive(Debug)]
pub(crate) struct Nudges {
    heard: watch::Sender<Heard>,
    /// Whom to listen to, if anybody.
    server: Option<PgConnectOptions>,
    listening: Mutex<Option<AbortHandle>>,
}

impl Nudges {
    pub(crate) fn new(server: Option<PgConnectOptions>) -> Self {
        Self { heard: watch::Sender::default(), server, listening: Mutex::default() }
    }

    /// Tells that the log has come so far.
    pub(crate) fn tell(&self, seq: ChangeSeq) {
        tell(&self.heard, seq.get());
    }

    /// How far the log had come by what was heard.
    pub(crate) fn heard(&self) -> u64 {
        self.heard.borrow().seq
    }

    /// The log goes on from an earlier number than was heard before it was asked: another history.
    pub(crate) fn begin_history(&self, before: u64, head: ChangeSeq) {
        self.heard.send_if_modified(|heard| {
            let is_another = head.get() < before && heard.seq == before;
            if is_another {
                heard.seq = head.get();
            }
            is_another
        });
    }

    /// Waits until there may be something behind that place. Who waits first starts the listening.
    pub(crate) async fn wait(&self, seen: LogPosition) {
        let mut heard = self.heard.subscribe();
        let gaps = heard.borrow_and_update().gaps;
        self.listen();
        let news = heard.wait_for(|heard| heard.seq > seen.seq.get() || heard.gaps != gaps);
        // The sender is here, so there is no end of it.
        let _ = news.await;
    }

    fn listen(&self) {
        let Some(server) = &self.server else { return };
        let mut listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner);
        if listening.is_none() {
            let task = tokio::spawn(listen(server.clone(), self.heard.clone()));
            *listening = Some(task.abort_handle());
        }
    }

    /// Listens no more.
    pub(crate) fn close(&self) {
        let listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(task) = &*listening {
            task.abort();
        }
    }
}

impl Drop for Nudges {
    fn drop(&mut self) {
        self.close();
    }
}

fn tell(heard: &watch::Sender<Heard>, seq: u64) {
    heard.send_if_modified(|heard| {
        let is_news = seq > heard.seq;
        heard.seq = heard.seq.max(seq);
        is_news
    });
}

/// Listens for as long as anybody may want to know, on a connection of its own.
async fn listen(server: PgConnectOptions, heard: watch::Sender<Heard>) {
    let (shortest, longest) = PAUSES;
    let mut pause = shortest;
    loop {
        match start(&server).await {
            Ok(mut listener) => {
                pause = shortest;
                // Whatever came until now was not heard.
                heard.send_modify(|heard| heard.gaps += 1);
                let lost = hear(&mut listener, &heard).await;
                tracing::warn!(
                    target: "hallpass",
                    error = lost.as_ref().map(tracing::field::display),
                    "the connection that listens for changes was lost: until it is back, changes are found by asking"
                );
                heard.send_modify(|heard| heard.gaps += 1);
            }
            Err(error) => {
                tracing::debug!(target: "hallpass", %error, "nobody to listen to");
            }
        }
        sleep(pause).await;
        pause = (pause * 2).min(longest);
    }
}

async fn start(server: &PgConnectOptions) -> Result<PgListener, sqlx::Error> {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(PATIENCE)
        .max_lifetime(None)
        .idle_timeout(None)
        .connect_lazy_with(server.clone());
    let mut listener = PgListener::connect_with(&pool).await?;
    // It would make the new connection before it says that the old one was lost.
    listener.eager_reconnect(false);
    let listening = timeout(PATIENCE, listener.listen("hallpass")).await;
    listening.unwrap_or(Err(sqlx::Error::PoolTimedOut))?;
    Ok(listener)
}

/// Until the connection is lost; answers why, if anybody knows.
async fn hear(listener: &mut PgListener, heard: &watch::Sender<Heard>) -> Option<sqlx::Error> {
    loop {
        match timeout(SILENCE, listener.try_recv()).await {
            Ok(Ok(Some(notification))) => match notification.payload().parse() {
                Ok(seq) => tell(heard, seq),
                // Somebody else's, or of another version: it may mean anything.
                Err(_) => heard.send_modify(|heard| heard.gaps += 1),
            },
            Ok(Ok(None)) => return None,
            Ok(Err(error)) => return Some(error),
            Err(_) => {
                let asked = sqlx::raw_sql("SELECT 1").execute(&mut *listener);
                match timeout(PATIENCE, asked).await {
                    Ok(Ok(_)) => {}
                    Ok(Err(error)) => return Some(error),
                    Err(_) => return Some(crate::connections::late()),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(seq: u64) -> LogPosition {
        LogPosition { seq: ChangeSeq::new(seq), nonce: 0 }
    }

    async fn is_nudged(nudges: &Nudges, seen: u64) -> bool {
        timeout(Duration::from_millis(20), nudges.wait(place(seen))).await.is_ok()
    }

    #[tokio::test]
    async fn what_is_behind_the_place_is_a_reason_to_look_and_nothing_else() {
        let nudges = Nudges::new(None);
        assert!(!is_nudged(&nudges, 0).await);
        nudges.tell(ChangeSeq::new(7));
        nudges.tell(ChangeSeq::new(5));
        assert!(is_nudged(&nudges, 6).await);
        assert!(!is_nudged(&nudges, 7).await);
    }

    #[tokio::test]
    async fn a_history_that_begins_again_is_listened_to_from_there() {
        let nudges = Nudges::new(None);
        nudges.tell(ChangeSeq::new(7));
        // Asked when 7 was known, the log says 3.
        nudges.begin_history(7, ChangeSeq::new(3));
        assert!(!is_nudged(&nudges, 3).await);
        nudges.tell(ChangeSeq::new(4));
        assert!(is_nudged(&nudges, 3).await);
        // What was heard while it was asked is not forgotten.
        nudges.begin_history(3, ChangeSeq::new(3));
        nudges.begin_history(5, ChangeSeq::new(3));
        assert!(is_nudged(&nudges, 3).await);
    }

    #[tokio::test]
    async fn whoever_waits_is_told_of_a_gap() {
        let nudges = std::sync::Arc::new(Nudges::new(None));
        let waiting = tokio::spawn({
            let nudges = nudges.clone();
            async move { nudges.wait(place(9)).await }
        });
        while nudges.heard.receiver_count() == 0 {
            tokio::task::yield_now().await;
        }
        nudges.heard.send_modify(|heard| heard.gaps += 1);
        waiting.await.unwrap();
    }
}
