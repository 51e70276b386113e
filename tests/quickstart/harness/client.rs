use std::net::SocketAddr;

use http::Method;
use reqwest::header::{AUTHORIZATION, COOKIE};
use reqwest::redirect::Policy;
use serde_json::Value;

use super::{Answer, PATIENCE, Person};

/// How a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    /// By prior knowledge.
    Http2,
}

impl Protocol {
    pub(crate) const BOTH: [Self; 2] = [Self::Http1, Self::Http2];
}

/// A client of one server. It follows no redirect and keeps no cookie.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    address: SocketAddr,
}

/// A request on its way to being sent.
#[must_use = "a call is sent by `answer`"]
pub(crate) struct Call(reqwest::RequestBuilder);

impl Client {
    pub(crate) fn new(address: SocketAddr, protocol: Protocol) -> Self {
        let builder =
            reqwest::Client::builder().redirect(Policy::none()).no_proxy().timeout(PATIENCE);
        let builder = match protocol {
            Protocol::Http1 => builder.http1_only(),
            Protocol::Http2 => builder.http2_prior_knowledge(),
        };
        Self { http: builder.build().expect("a client"), address }
    }

    /// A request to this path; the query is part of it.
    pub(crate) fn call(&self, method: Method, path: &str) -> Call {
        Call(self.http.request(method, format!("http://{}{path}", self.address)))
    }

    pub(crate) fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str) -> Call {
        self.call(Method::POST, path)
    }

    /// The status of a request with this token, to a route that needs `projects:list`.
    pub(crate) async fn status_with(&self, token: &str) -> u16 {
        self.get("/api/projects").bearer(token).answer().await.status
    }

    pub(crate) fn sign_in_with(&self, name: &str, password: &str) -> Call {
        self.post("/login").form(&[("username", name), ("password", password)])
    }

    /// Signs one of the quickstart's people in.
    pub(crate) async fn sign_in(&self, name: &str) -> Person {
        Person::sign_in(self, name).await
    }
}

impl Call {
    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        Self(self.0.header(name, value))
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header(AUTHORIZATION.as_str(), &format!("Bearer {token}"))
    }

    pub(crate) fn cookie(self, cookie: &str) -> Self {
        self.header(COOKIE.as_str(), cookie)
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        Self(self.0.json(body))
    }

    pub(crate) fn form(self, fields: &[(&str, &str)]) -> Self {
        Self(self.0.form(fields))
    }

    pub(crate) fn body(self, body: impl Into<reqwest::Body>) -> Self {
        Self(self.0.body(body))
    }

    /// Sends it.
    pub(crate) async fn answer(self) -> Answer {
        self.try_answer().await.expect("an answer")
    }

    /// Sends it, to a server that may be gone.
    pub(crate) async fn try_answer(self) -> Result<Answer, reqwest::Error> {
        Answer::read(self.0.send().await?).await
    }
}
