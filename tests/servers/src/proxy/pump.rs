use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep_until};

use super::link::Link;
use super::listen::Shared;
use super::{Flow, Way};

/// The connection has to end at once, on both sides.
#[derive(Debug)]
pub(super) struct Broken;

/// Some bytes, or none at the end; or why there are no more.
type Read = io::Result<Vec<u8>>;

/// Moves what goes one way on one connection, until that way is closed in order.
///
/// # Errors
///
/// The connection has to end at once.
pub(super) async fn pump(
    from: ReadHalf<'_>,
    to: WriteHalf<'_>,
    way: Way,
    link: &Link,
    shared: &Shared,
) -> Result<(), Broken> {
    // Apart, so that what is under way does not hold up what comes behind it.
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
        // Who would write it may have found that there is nobody to write it to.
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
        if link.flow_at_last(way).await == Flow::Swallow {
            return std::future::pending().await;
        }
        let bytes = read.map_err(|_| Broken)?;
        if bytes.is_empty() {
            // Whoever has hung up hears nothing more.
            let _ = to.shutdown().await;
            return Ok(());
        }
        let allowed = shared.take(way, bytes.len());
        let passing = &bytes[..allowed.err().unwrap_or(bytes.len())];
        // Before it arrives, so that whoever got it finds it counted.
        shared.count(way, passing.len());
        if to.write_all(passing).await.is_err() {
            // It shows on the way back, if that is open.
            return Ok(());
        }
        if allowed.is_err() {
            return Err(Broken);
        }
    }
    Ok(())
}
