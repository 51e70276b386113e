//! The clients: HTTP/1.1 with raw bytes, HTTP/2 with header lists, and raw HTTP/2 frames for
//! requests that no client would send.

pub(crate) mod frames;
mod h1;
mod h2;

use std::future::Future;
use std::time::Duration;

use http::HeaderMap;

pub(crate) use self::h1::Http1;
pub(crate) use self::h2::{Http2, Sent};

/// A response.
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

    /// Returns a header that must not occur more than once.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let first = values.next()?;
        assert!(values.next().is_none(), "{name} occurs more than once: {:?}", self.headers);
        Some(first.to_str().unwrap())
    }
}

/// Waits for a future with a time limit that only a hanging test exceeds.
pub(crate) async fn in_time<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), what).await.expect("no result within 30 seconds")
}
