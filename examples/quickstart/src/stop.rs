//! The shutdown signal.

use std::io;

/// Returns a future that completes on Ctrl-C or SIGTERM. The signal handlers are installed by this
/// call, not by the first poll of the future.
///
/// # Errors
///
/// Returns an error if a signal handler cannot be installed.
#[cfg(unix)]
pub fn signal_received() -> io::Result<impl Future<Output = ()> + Send> {
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

/// Returns a future that completes on Ctrl-C. The signal handler is installed by this call, not by
/// the first poll of the future.
///
/// # Errors
///
/// Returns an error if the signal handler cannot be installed.
#[cfg(windows)]
pub fn signal_received() -> io::Result<impl Future<Output = ()> + Send> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
    })
}
