//! An axum service behind the token layer, on a real socket.
#![expect(clippy::missing_panics_doc, reason = "a test helper panics if the test fails")]

use std::net::SocketAddr;

use axum::Router;
use axum::routing::get;
use hallpass_core::{Hallpass, Issued};
use hallpass_tower::TokenLayer;
use tokio::net::TcpListener;

use crate::nodes::PATIENCE;

/// A service that requires a token, and a client for it.
#[derive(Debug)]
pub struct Web {
    /// The address that the service listens on.
    pub address: SocketAddr,
    client: reqwest::Client,
}

impl Web {
    /// Starts a service that runs until the runtime ends.
    pub async fn serve(hallpass: &Hallpass) -> Self {
        let routes = Router::new().route("/", get(async || "in")).layer(TokenLayer::new(hallpass));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move { axum::serve(listener, routes).await });
        let client = reqwest::Client::builder().timeout(PATIENCE).build().expect("a client");
        Self { address, client }
    }

    /// Sends a request with the token and returns the status of the response. If it is 503, this
    /// also checks its headers.
    pub async fn get(&self, issued: &Issued) -> u16 {
        let request = self.client.get(format!("http://{}/", self.address));
        let request = request.bearer_auth(issued.token.reveal());
        let answer = request.send().await.expect("no response in time");
        let status = answer.status().as_u16();
        if status == 503 {
            let after = answer.headers().get("retry-after").expect("a 503 has Retry-After");
            let seconds: u32 = after.to_str().expect("a number").parse().expect("a number");
            assert!((1..=3).contains(&seconds), "{seconds}");
            assert!(!answer.headers().contains_key("www-authenticate"), "a 503 has a challenge");
        }
        status
    }
}
