//! Raw HTTP/2 frames (RFC 9113), for requests that no client would send.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::in_time;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const END_STREAM_AND_HEADERS: u8 = 0x5;

/// The way in which a server ended a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The server responded.
    Answered,
    /// The server reset the stream with this error code.
    Reset(u32),
    /// The server closed the connection with this error code.
    GoAway(u32),
    /// The server closed the connection without an error code.
    Closed,
}

/// The error code `PROTOCOL_ERROR` of RFC 9113, section 7.
pub(crate) const PROTOCOL_ERROR: u32 = 1;

/// Sends these fields unchanged and in this order as the header block of one request.
pub(crate) async fn request(to: SocketAddr, fields: &[(&[u8], &[u8])]) -> Ended {
    let block: Vec<u8> = fields.iter().flat_map(|(name, value)| literal(name, value)).collect();
    let mut bytes = PREFACE.to_vec();
    bytes.extend(frame(SETTINGS, 0, 0, &[]));
    bytes.extend(frame(HEADERS, END_STREAM_AND_HEADERS, 1, &block));

    let mut stream = TcpStream::connect(to).await.unwrap();
    stream.write_all(&bytes).await.unwrap();
    in_time(async {
        loop {
            let mut head = [0; 9];
            if stream.read_exact(&mut head).await.is_err() {
                return Ended::Closed;
            }
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let mut payload = vec![0; length as usize];
            if stream.read_exact(&mut payload).await.is_err() {
                return Ended::Closed;
            }
            let code = |at: usize| u32::from_be_bytes(payload[at..at + 4].try_into().unwrap());
            match head[3] {
                HEADERS => return Ended::Answered,
                RST_STREAM => return Ended::Reset(code(0)),
                GOAWAY => return Ended::GoAway(code(4)),
                _ => {}
            }
        }
    })
    .await
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// Encodes a literal field without indexing, with a new name and without Huffman coding (RFC 7541,
/// section 6.2.2).
fn literal(name: &[u8], value: &[u8]) -> Vec<u8> {
    let mut field = vec![0];
    for text in [name, value] {
        // The length has a prefix of seven bits. A larger length continues in groups of seven bits.
        match text.len() {
            short @ 0..=126 => field.push(u8::try_from(short).unwrap()),
            long => {
                field.push(127);
                let mut rest = long - 127;
                while rest >= 128 {
                    field.push(u8::try_from(rest % 128).unwrap() | 128);
                    rest /= 128;
                }
                field.push(u8::try_from(rest).unwrap());
            }
        }
        field.extend_from_slice(text);
    }
    field
}
