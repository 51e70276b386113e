use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep_until};

use super::link::Link;
use super::listen::Shared;
use super::{Flow, Way};

/// An error that requires both sides of the connection to be reset immediately.
#[derive(Debug)]
pub(super) struct Broken;

/// The result of a read: some bytes, no bytes at the end of the stream, or an error.
type Read = io::Result<Vec<u8>>;

/// Forwards one direction of a connection until the sender closes it.
///
/// # Errors
///
/// Returns [`Broken`] if the connection has to be reset.
pub(super) async fn pump(
    from: ReadHalf<'_>,
    to: WriteHalf<'_>,
    way: Way,
    link: &Link,
    shared: &Shared,
) -> Result<(), Broken> {
    // Reading and writing run concurrently: a delayed chunk must not delay the reading of the next
    // one.
    let (sent, arriving) = unbounded_channel();
    let read = async {
        read(from, sent, way, link).await;
        Ok(())
    };
    tokio::try_join!(read, write(to, arriving, way, link, shared)).map(drop)
}

async fn read(
    mut from: ReadHalf<'_>,
    sent: UnboundedSender<(Instant, Read)>,
    way: Way,
    link: &Link,
) {
    let mut buffer = vec![0; 16 << 10];
    loop {
        let read = from.read(&mut buffer).await.map(|length| buffer[..length].to_vec());
        let is_last = !read.as_ref().is_ok_and(|bytes| !bytes.is_empty());
        let due = match link.flow(way) {
            Flow::Delay(delay) => Instant::now() + delay,
            _ => Instant::now(),
        };
        // An error means that the writer has ended because the receiver closed the connection.
        let _ = sent.send((due, read));
        if is_last {
            return;
        }
    }
}

async fn write(
    mut to: WriteHalf<'_>,
    mut arriving: UnboundedReceiver<(Instant, Read)>,
    way: Way,
    link: &Link,
    shared: &Shared,
) -> Result<(), Broken> {
    while let Some((due, read)) = arriving.recv().await {
        sleep_until(due).await;
        if link.flow_after_hold(way).await == Flow::Swallow {
            return std::future::pending().await;
        }
        let bytes = read.map_err(|_| Broken)?;
        if bytes.is_empty() {
            // An error means that the receiver has already closed the connection.
            let _ = to.shutdown().await;
            return Ok(());
        }
        let allowed = shared.take(way, bytes.len());
        let passing = &bytes[..allowed.err().unwrap_or(bytes.len())];
        // Counted before it is written, so that a test that has received the bytes sees the count.
        shared.count(way, passing.len());
        if to.write_all(passing).await.is_err() {
            // The other direction reports the error, if it is still open.
            return Ok(());
        }
        if allowed.is_err() {
            return Err(Broken);
        }
    }
    Ok(())
}
