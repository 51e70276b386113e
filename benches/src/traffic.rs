//! Requests as a server hands them to its service, and who sends them how often.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::ConnectInfo;
use http::header::{ACCEPT, AUTHORIZATION, HOST, USER_AGENT};
use http::{HeaderName, HeaderValue, Request, request};

use crate::random::Random;

/// How many requests are drawn beforehand; then it begins again.
const DRAWS: usize = 1 << 15;

/// How often each of many callers calls.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pattern {
    /// All alike.
    Uniform,
    /// The one of rank n with a weight of 1/n.
    Zipf,
    /// The first one alone.
    Hot,
}

impl Pattern {
    /// Who calls, one after the other.
    fn order(self, callers: usize) -> Vec<u32> {
        let mut random = Random::new(0x5eed);
        match self {
            Self::Uniform => (0..DRAWS).map(|_| random.below(callers) as u32).collect(),
            Self::Zipf => random.zipf(callers, 1.0).take(DRAWS).collect(),
            Self::Hot => vec![0],
        }
    }
}

/// An endless row of requests.
#[derive(Clone)]
pub(crate) struct Traffic {
    template: request::Parts,
    header: HeaderName,
    /// What the header says, by caller.
    values: Arc<[Box<str>]>,
    order: Arc<[u32]>,
    at: usize,
}

impl Traffic {
    /// `GET`s of this path, with the credential in a header.
    pub(crate) fn by(
        header: HeaderName,
        values: impl IntoIterator<Item = String>,
        path: &'static str,
        pattern: Pattern,
    ) -> Self {
        let mut traffic = Self::without_credential(path);
        // Its place is in the map: only the value is another one each time.
        traffic.template.headers.insert(&header, HeaderValue::from_static("none yet"));
        traffic.header = header;
        traffic.values = values.into_iter().map(String::into_boxed_str).collect();
        traffic.order = pattern.order(traffic.values.len()).into();
        traffic
    }

    /// `GET`s of this path, with bearer tokens.
    pub(crate) fn bearer<'t>(
        tokens: impl IntoIterator<Item = &'t String>,
        path: &'static str,
        pattern: Pattern,
    ) -> Self {
        let values = tokens.into_iter().map(|token| format!("Bearer {token}"));
        Self::by(AUTHORIZATION, values, path, pattern)
    }

    /// `GET`s of this URI that say in no header who sends them.
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

    /// The same, but nobody has put anything into the extensions before.
    pub(crate) fn with_empty_extensions(mut self) -> Self {
        self.template.extensions.clear();
        self.template.extensions = http::Extensions::new();
        self
    }

    /// Leaves so many requests out.
    pub(crate) fn skip(&mut self, requests: usize) {
        self.at = (self.at + requests) % self.order.len().max(1);
    }

    /// The next request. The credential is copied out of its text, as a server takes it from what
    /// came in: whoever looks at it next finds it in the processor's cache.
    pub(crate) fn request<B: Default>(&mut self) -> Request<B> {
        let mut parts = self.template.clone();
        if let Some(caller) = self.order.get(self.at) {
            let text = &self.values[*caller as usize];
            let value = HeaderValue::from_str(text).expect("credentials are visible ASCII");
            *parts.headers.get_mut(&self.header).expect("the template has it") = value;
            self.at = (self.at + 1) % self.order.len();
        }
        Request::from_parts(parts, B::default())
    }
}
