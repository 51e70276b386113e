//! The background task that writes uses of tokens to the store.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hallpass_core::{Hallpass, WeakHallpass};

/// The interval at which uses of tokens are written.
const INTERVAL: Duration = Duration::from_secs(5);

/// The task that writes uses of tokens to the store. The first request starts it, and it ends when
/// the last handle is dropped.
#[derive(Debug, Default)]
pub(crate) struct UseFlusher {
    started: AtomicBool,
}

impl UseFlusher {
    /// Starts the task once, on the runtime that serves the request.
    pub(crate) fn ensure_started(&self, hallpass: &Hallpass) {
        if self.started.load(Ordering::Relaxed) || self.started.swap(true, Ordering::Relaxed) {
            return;
        }
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => {
                runtime.spawn(flush_periodically(hallpass.downgrade()));
            }
            Err(_) => tracing::warn!(
                target: "hallpass",
                "this request is served without a tokio runtime, so times of last use are not \
                 written automatically: call `Hallpass::flush_uses`"
            ),
        }
    }
}

async fn flush_periodically(hallpass: WeakHallpass) {
    loop {
        tokio::time::sleep(INTERVAL).await;
        let Some(hallpass) = hallpass.upgrade() else { return };
        if let Err(error) = hallpass.flush_uses().await {
            // The uses stay queued for the next round. Failing checks report the outage more
            // prominently.
            tracing::warn!(target: "hallpass", %error, "times of last use could not be written yet");
        }
    }
}
