//! Waiting for the signal to stop.

use std::io;

/// Returns a future that completes at Ctrl-C or SIGTERM. Signals count from this call on, not only
/// from the first poll.
///
/// # Errors
///
/// Returns an error if the system does not allow listening for signals.
#[cfg(unix)]
pub fn asked() -> io::Result<impl Future<Output = ()> + Send> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Returns a future that completes at Ctrl-C. Signals count from this call on, not only from the
/// first poll.
///
/// # Errors
///
/// Returns an error if the system does not allow listening for signals.
#[cfg(windows)]
pub fn asked() -> io::Result<impl Future<Output = ()> + Send> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
    })
}
