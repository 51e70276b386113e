//! Being asked to stop.

use std::io;

/// Ends at Ctrl-C or SIGTERM: at those that come after this call, not after the first poll.
///
/// # Errors
///
/// The system does not let signals be heard.
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

/// Ends at Ctrl-C: at one that comes after this call, not after the first poll.
///
/// # Errors
///
/// The system does not let signals be heard.
#[cfg(windows)]
pub fn asked() -> io::Result<impl Future<Output = ()> + Send> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
    })
}
