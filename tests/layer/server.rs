//! A host for one test.

use std::net::SocketAddr;

use hallpass_tower::TokenLayer;
use http::{HeaderValue, Request};

use crate::fixture::{Fixture, Setup};
use crate::host::{Echo, Host};
use crate::wire::{Answer, Http1, Http2, Sent};

/// A host with the default layer in front of its echo.
pub(crate) struct Server {
    pub(crate) fixture: Fixture,
    pub(crate) echo: Echo,
    pub(crate) address: SocketAddr,
}

impl Server {
    pub(crate) async fn of(host: Host) -> Self {
        Self::with(host, |layer| layer).await
    }

    /// Starts a host whose layer is configured by `set_up`.
    pub(crate) async fn with(host: Host, set_up: impl FnOnce(TokenLayer) -> TokenLayer) -> Self {
        let (fixture, echo) = (Fixture::new().await, Echo::default());
        let layer = set_up(fixture.layer(Setup::Default, host.layer()));
        let address = host.serve_echo(layer, echo.clone()).await;
        Self { fixture, echo, address }
    }

    /// Replaces the placeholders in the text of an HTTP/1.1 request.
    pub(crate) fn text(&self, request: &str) -> Vec<u8> {
        self.fixture.words.fill(request.as_bytes())
    }

    /// Sends a request with this method, target and token over HTTP/1.1.
    pub(crate) async fn http1(&self, method: &str, target: &str, token: &str) -> Answer {
        let request =
            format!("{method} {target} HTTP/1.1\r\nhost: localhost\r\n{}\r\n", header(token));
        Http1::exchange(self.address, &self.text(&request)).await
    }

    /// Sends the same request over HTTP/2.
    pub(crate) async fn http2(&self, method: &str, target: &str, token: &str) -> Answer {
        let target = String::from_utf8(self.text(target)).unwrap();
        let uri = format!("http://localhost{target}");
        let mut request = Request::builder().method(method).uri(uri).body(()).unwrap();
        if !token.is_empty() {
            let value =
                HeaderValue::from_bytes(&self.text(&format!("Bearer {{{token}}}"))).unwrap();
            request.headers_mut().insert("authorization", value);
        }
        Http2::connect(self.address).await.send(request, Sent::Nothing).await.unwrap()
    }

    pub(crate) async fn get(&self, target: &str, token: &str) -> Answer {
        self.http1("GET", target, token).await
    }
}

/// Returns the header line with the token of this name, or an empty text if the name is empty.
fn header(token: &str) -> String {
    if token.is_empty() { String::new() } else { format!("authorization: Bearer {{{token}}}\r\n") }
}
