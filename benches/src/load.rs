//! An HTTP/1.1 client with little overhead: raw sockets with persistent connections, on one thread.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use futures::future::try_join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

use crate::random::Random;

/// A client that sends the same requests repeatedly. Each connection sends one at a time.
pub(crate) struct Load {
    runtime: Rc<Runtime>,
    connections: Vec<TcpStream>,
    requests: Vec<Vec<u8>>,
}

impl Load {
    /// Opens `connections` connections. The requests are `GET`s of this path with one of the
    /// credentials in this header.
    pub(crate) fn new(
        runtime: &Rc<Runtime>,
        server: SocketAddr,
        connections: usize,
        path: &str,
        (header, credentials): (&str, &[String]),
    ) -> Result<Self> {
        let requests = credentials.iter().map(|credential| {
            format!(
                "GET {path} HTTP/1.1\r\nhost: api.example.com\r\naccept: application/json\r\n\
                 user-agent: reports/2.4 (+https://example.com)\r\n{header}: {credential}\r\n\r\n"
            )
            .into_bytes()
        });
        let connections = runtime.block_on(try_join_all((0..connections).map(async |_| {
            let connection = TcpStream::connect(server).await?;
            connection.set_nodelay(true)?;
            Ok::<_, std::io::Error>(connection)
        })))?;
        Ok(Self { runtime: Rc::clone(runtime), connections, requests: requests.collect() })
    }

    /// Sends requests for about as long as `long`, and at least one on each connection. Returns the
    /// number of responses and the exact duration.
    pub(crate) fn run(&mut self, long: Duration) -> Result<(u32, Duration)> {
        let random = Cell::new(Random::new(3));
        let requests = &self.requests;
        let pick = || {
            let mut drawn = random.take();
            let request = &requests[drawn.below(requests.len())];
            random.set(drawn);
            request.as_slice()
        };
        let started = Instant::now();
        let conversations = self
            .connections
            .iter_mut()
            .map(|connection| converse(connection, pick, started + long));
        let counts = self.runtime.block_on(async {
            tokio::select! {
                counts = try_join_all(conversations) => counts,
                () = never_sleep() => unreachable!("this never ends"),
            }
        })?;
        Ok((counts.iter().sum(), started.elapsed()))
    }
}

/// Keeps the client's thread from sleeping. The kernel counts waking it as processor time of the
/// server, and the client sleeps only if the server is slower.
async fn never_sleep() {
    loop {
        tokio::task::yield_now().await;
    }
}

/// Sends requests until the deadline, and at least one. Returns their number.
async fn converse<'r>(
    connection: &mut TcpStream,
    pick: impl Fn() -> &'r [u8],
    until: Instant,
) -> Result<u32> {
    let mut buffer = [0; 2048];
    let mut count = 0;
    while count == 0 || Instant::now() < until {
        connection.write_all(pick()).await?;
        let mut filled = 0;
        loop {
            let read = connection.read(&mut buffer[filled..]).await?;
            ensure!(read > 0, "the server closed the connection");
            filled += read;
            match length(&buffer[..filled])? {
                Some(whole) if whole == filled => break,
                Some(whole) if whole < filled => {
                    bail!("the server sent more than was requested")
                }
                _ => {}
            }
        }
        count += 1;
    }
    Ok(count)
}

/// Returns the length of the whole response, or `None` if its head is not complete yet.
fn length(response: &[u8]) -> Result<Option<usize>> {
    let Some(end) = response.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(&response[..end])?;
    ensure!(head.starts_with("HTTP/1.1 200 "), "the server responded with {head:?}");
    let body = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let body: usize = body.context("a response has no `content-length` header")?.parse()?;
    Ok(Some(end + 4 + body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn response_must_be_complete_and_successful() {
        assert_eq!(length(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n").unwrap(), None);
        let whole = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
        assert_eq!(length(whole).unwrap(), Some(whole.len()));
        assert!(length(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n").is_err());
        assert!(length(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
