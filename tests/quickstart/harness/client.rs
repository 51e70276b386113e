use std::net::SocketAddr;

use http::Method;
use reqwest::header::{AUTHORIZATION, COOKIE};
use reqwest::redirect::Policy;
use serde_json::Value;

use super::{Answer, PATIENCE, User};

/// The HTTP version of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    /// HTTP/2 with prior knowledge, without an upgrade.
    Http2,
}

impl Protocol {
    pub(crate) const BOTH: [Self; 2] = [Self::Http1, Self::Http2];
}

/// An HTTP client for one server. It does not follow redirects and does not store cookies.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    address: SocketAddr,
}

/// A request that has not been sent yet.
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

    /// Creates a request. `path` may include a query.
    pub(crate) fn call(&self, method: Method, path: &str) -> Call {
        Call(self.http.request(method, format!("http://{}{path}", self.address)))
    }

    pub(crate) fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str) -> Call {
        self.call(Method::POST, path)
    }

    /// Sends a request with the token to a route that requires `projects:list`, and returns the
    /// status.
    pub(crate) async fn status_with(&self, token: &str) -> u16 {
        self.get("/api/projects").bearer(token).answer().await.status
    }

    pub(crate) fn sign_in_with(&self, name: &str, password: &str) -> Call {
        self.post("/login").form(&[("username", name), ("password", password)])
    }

    /// Signs in one of the users of the quickstart.
    pub(crate) async fn sign_in(&self, name: &str) -> User {
        User::sign_in(self, name).await
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

    /// Sends the request.
    pub(crate) async fn answer(self) -> Answer {
        self.try_answer().await.expect("no response")
    }

    /// Sends the request to a server that may not be running.
    pub(crate) async fn try_answer(self) -> Result<Answer, reqwest::Error> {
        Answer::read(self.0.send().await?).await
    }
}
