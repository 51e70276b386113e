use std::io;
use std::net::SocketAddr;

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::{Answer, in_time};

/// An HTTP/1.1 connection for raw bytes.
pub(crate) struct Http1 {
    read: OwnedReadHalf,
    write: OwnedWriteHalf,
    buffer: Vec<u8>,
}

impl Http1 {
    pub(crate) async fn connect(to: SocketAddr) -> Self {
        let stream = TcpStream::connect(to).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (read, write) = stream.into_split();
        Self { read, write, buffer: Vec::new() }
    }

    /// Sends one request on a new connection and reads the response.
    pub(crate) async fn exchange(to: SocketAddr, request: &[u8]) -> Answer {
        let mut connection = Self::connect(to).await;
        let has_body = !request.starts_with(b"HEAD ");
        let Self { read, write, buffer } = &mut connection;
        // A server may respond and stop reading before it has received everything.
        let send = async {
            let _ = write.write_all(request).await;
        };
        let ((), answer) =
            in_time(async { tokio::join!(send, read_answer(read, buffer, has_body)) }).await;
        answer.unwrap()
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write.write_all(bytes).await
    }

    /// Reads the next response on this connection.
    pub(crate) async fn answer(&mut self) -> Answer {
        in_time(read_answer(&mut self.read, &mut self.buffer, true)).await.unwrap()
    }

    /// Reads the next bytes after an upgrade.
    pub(crate) async fn bytes(&mut self, count: usize) -> Vec<u8> {
        in_time(fill(&mut self.read, &mut self.buffer, count)).await.unwrap();
        self.buffer.drain(..count).collect()
    }

    /// Closes the sending side and reads the rest until the server closes the connection.
    pub(crate) async fn rest(mut self) -> Vec<u8> {
        let mut rest = std::mem::take(&mut self.buffer);
        let _ = self.write.shutdown().await;
        // A reset counts as the end of the connection.
        let _ = in_time(self.read.read_to_end(&mut rest)).await;
        rest
    }
}

async fn read_answer(
    read: &mut OwnedReadHalf,
    buffer: &mut Vec<u8>,
    has_body: bool,
) -> io::Result<Answer> {
    let head = until(read, buffer, b"\r\n\r\n").await?;
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let mut headers = HeaderMap::new();
    for line in lines.filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(": ").unwrap_or((line.trim_end_matches(':'), ""));
        headers.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
    }
    let length =
        headers.get("content-length").map(|value| value.to_str().unwrap().parse().unwrap());
    let body = if !has_body || status < 200 || status == 204 || status == 304 {
        Vec::new()
    } else if headers.get("transfer-encoding").is_some_and(|value| value == "chunked") {
        chunks(read, buffer).await?
    } else if let Some(length) = length {
        fill(read, buffer, length).await?;
        buffer.drain(..length).collect()
    } else {
        let mut body = std::mem::take(buffer);
        read.read_to_end(&mut body).await?;
        body
    };
    Ok(Answer { status, headers, body })
}

async fn chunks(read: &mut OwnedReadHalf, buffer: &mut Vec<u8>) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let size = until(read, buffer, b"\r\n").await?;
        let size = usize::from_str_radix(std::str::from_utf8(&size).unwrap().trim(), 16).unwrap();
        fill(read, buffer, size + 2).await?;
        body.extend(buffer.drain(..size));
        buffer.drain(..2);
        if size == 0 {
            return Ok(body);
        }
    }
}

/// Reads up to and including that mark.
async fn until(read: &mut OwnedReadHalf, buffer: &mut Vec<u8>, mark: &[u8]) -> io::Result<Vec<u8>> {
    loop {
        if let Some(at) = buffer.windows(mark.len()).position(|window| window == mark) {
            return Ok(buffer.drain(..at + mark.len()).collect());
        }
        fill(read, buffer, buffer.len() + 1).await?;
    }
}

async fn fill(read: &mut OwnedReadHalf, buffer: &mut Vec<u8>, count: usize) -> io::Result<()> {
    while buffer.len() < count {
        if read.read_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}
