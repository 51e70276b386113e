//! Tests of protocol upgrades.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tower::ServiceBuilder;

use crate::fixture::{Fixture, Setup};
use crate::host::{Host, serve_hyper};
use crate::wire::Http1;

/// Switches protocols, then sends back what it receives, once.
async fn switch(request: Request<Incoming>) -> Result<Response<Empty<Bytes>>, Infallible> {
    tokio::spawn(async move {
        let mut upgraded = TokioIo::new(hyper::upgrade::on(request).await.unwrap());
        let mut word = [0; 5];
        upgraded.read_exact(&mut word).await.unwrap();
        upgraded.write_all(&word).await.unwrap();
    });
    let mut response = Response::new(Empty::new());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    response.headers_mut().insert("connection", "upgrade".parse().unwrap());
    response.headers_mut().insert("upgrade", "websocket".parse().unwrap());
    Ok(response)
}

#[tokio::test]
async fn upgrade_needs_a_token() {
    let fixture = Fixture::new().await;
    let layer = fixture.layer(Setup::Default, Host::Hyper.layer());
    let service = ServiceBuilder::new().layer(layer).service(tower::service_fn(switch));
    let address = serve_hyper(service).await;
    let upgrade = |credential: &str| {
        let request = format!(
            "GET /live HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n{credential}\r\n"
        );
        fixture.words.fill(request.as_bytes())
    };
    let mut connection = Http1::connect(address).await;
    connection.send(&upgrade("authorization: Bearer {T}\r\n")).await.unwrap();
    assert_eq!(connection.answer().await.status, 101);
    connection.send(b"hello").await.unwrap();
    assert_eq!(connection.bytes(5).await, b"hello");

    for (credential, owed) in [("", 401), ("authorization: Bearer {REVOKED}\r\n", 401)] {
        assert_eq!(Http1::exchange(address, &upgrade(credential)).await.status, owed);
    }
}
