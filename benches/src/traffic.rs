//! Requests as a server passes them to its service, and the distribution of their senders.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::ConnectInfo;
use http::header::{ACCEPT, AUTHORIZATION, HOST, USER_AGENT};
use http::{HeaderName, HeaderValue, Request, request};

use crate::random::Random;

/// The length of the random sequence of senders, which then repeats.
const DRAWS: usize = 1 << 15;

/// The distribution of requests over callers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pattern {
    /// All callers send equally often.
    Uniform,
    /// The caller of rank n has a weight of 1/n.
    Zipf,
    /// Only the first caller sends requests.
    Hot,
}

impl Pattern {
    /// Returns the sequence of callers.
    fn order(self, callers: usize) -> Vec<u32> {
        let mut random = Random::new(0x5eed);
        match self {
            Self::Uniform => (0..DRAWS).map(|_| random.below(callers) as u32).collect(),
            Self::Zipf => random.zipf(callers, 1.0).take(DRAWS).collect(),
            Self::Hot => vec![0],
        }
    }
}

/// An endless sequence of requests.
#[derive(Clone)]
pub(crate) struct Traffic {
    template: request::Parts,
    header: HeaderName,
    /// The values of the header, by caller.
    values: Arc<[Box<str>]>,
    order: Arc<[u32]>,
    at: usize,
}

impl Traffic {
    /// Creates `GET` requests of this path, with the credentials in a header.
    pub(crate) fn by(
        header: HeaderName,
        values: impl IntoIterator<Item = String>,
        path: &'static str,
        pattern: Pattern,
    ) -> Self {
        let mut traffic = Self::without_credential(path);
        // The header is inserted only once, so that each request only has to replace the value.
        traffic.template.headers.insert(&header, HeaderValue::from_static("none yet"));
        traffic.header = header;
        traffic.values = values.into_iter().map(String::into_boxed_str).collect();
        traffic.order = pattern.order(traffic.values.len()).into();
        traffic
    }

    /// Creates `GET` requests of this path with bearer tokens.
    pub(crate) fn bearer<'t>(
        tokens: impl IntoIterator<Item = &'t String>,
        path: &'static str,
        pattern: Pattern,
    ) -> Self {
        let values = tokens.into_iter().map(|token| format!("Bearer {token}"));
        Self::by(AUTHORIZATION, values, path, pattern)
    }

    /// Creates `GET` requests of this URI without a credential in a header.
    pub(crate) fn without_credential(uri: &str) -> Self {
        let from = ConnectInfo(SocketAddr::from((Ipv4Addr::LOCALHOST, 40_000)));
        let request = Request::get(uri)
            .header(HOST, HeaderValue::from_static("api.example.com"))
            .header(USER_AGENT, HeaderValue::from_static("reports/2.4 (+https://example.com)"))
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .extension(from)
            .body(())
            .expect("the URIs of the benchmarks are valid");
        Self {
            template: request.into_parts().0,
            header: AUTHORIZATION,
            values: Arc::default(),
            order: Arc::default(),
            at: 0,
        }
    }

    /// Returns the same traffic with empty extensions.
    pub(crate) fn with_empty_extensions(mut self) -> Self {
        self.template.extensions.clear();
        self.template.extensions = http::Extensions::new();
        self
    }

    /// Skips this number of requests.
    pub(crate) fn skip(&mut self, requests: usize) {
        self.at = (self.at + requests) % self.order.len().max(1);
    }

    /// Returns the next request. The credential is copied from its text, as a server copies it from
    /// the received bytes, so it is in the processor's cache when the layer reads it.
    pub(crate) fn request<B: Default>(&mut self) -> Request<B> {
        let mut parts = self.template.clone();
        if let Some(caller) = self.order.get(self.at) {
            let text = &self.values[*caller as usize];
            let value = HeaderValue::from_str(text).expect("credentials are visible ASCII");
            *parts.headers.get_mut(&self.header).expect("the template contains the header") = value;
            self.at = (self.at + 1) % self.order.len();
        }
        Request::from_parts(parts, B::default())
    }
}
