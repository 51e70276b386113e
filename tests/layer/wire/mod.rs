//! The clients: HTTP/1.1 as raw bytes, HTTP/2 as header lists and, where no client would send it,
//! as raw frames.

pub(crate) mod frames;
mod h1;
mod h2;

use std::future::Future;
use std::time::Duration;

use http::HeaderMap;

pub(crate) use self::h1::Http1;
pub(crate) use self::h2::{Http2, Sent};

/// What a server answered.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// A header that is there once, or not at all.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let first = values.next()?;
        assert!(values.next().is_none(), "{name} comes twice: {:?}", self.headers);
        Some(first.to_str().unwrap())
    }
}

/// Nothing here takes long; what hangs is a failure.
pub(crate) async fn in_time<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), what).await.expect("an answer within 30 seconds")
}
