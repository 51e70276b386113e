//! A service that changes something, and is told to end meanwhile.
#![expect(clippy::missing_panics_doc, reason = "what helps a test panics where the test fails")]

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::post;
use hallpass_core::{Hallpass, TokenId};
use http::StatusCode;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::nodes::{PATIENCE, alice};

/// A service that revokes alice's tokens, until it is told to end.
#[derive(Debug)]
pub struct Service {
    address: SocketAddr,
    end: Option<oneshot::Sender<()>>,
    served: JoinHandle<()>,
}

async fn revoke(State(hallpass): State<Hallpass>, Path(id): Path<String>) -> StatusCode {
    let id: TokenId = id.parse().expect("an id");
    match hallpass.revoke(&alice(), id).await {
        Ok(_) => StatusCode::NO_CONTENT,
        Err(error) if error.is_unavailable() => StatusCode::SERVICE_UNAVAILABLE,
        Err(_) => StatusCode::CONFLICT,
    }
}

impl Service {
    /// Serves, with that handle.
    pub async fn start(hallpass: &Hallpass) -> Self {
        let routes = Router::new().route("/revoke/{id}", post(revoke)).with_state(hallpass.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (end, ended) = oneshot::channel::<()>();
        let served = tokio::spawn(async move {
            let told = async move { ended.await.expect("somebody tells") };
            axum::serve(listener, routes).with_graceful_shutdown(told).await.expect("it serves");
        });
        Self { address, end: Some(end), served }
    }

    /// A request to revoke that token: its status, or why there was no answer.
    #[must_use]
    pub fn ask_to_revoke(&self, id: TokenId) -> JoinHandle<reqwest::Result<u16>> {
        let url = format!("http://{}/revoke/{id}", self.address);
        let client = reqwest::Client::builder().timeout(PATIENCE).build().expect("a client");
        tokio::spawn(async move { Ok(client.post(url).send().await?.status().as_u16()) })
    }

    /// Tells it to end, once all that it was asked is answered.
    pub fn tell_to_end(&mut self) {
        let end = self.end.take().expect("it was not told yet");
        end.send(()).expect("it serves");
    }

    /// Whether it has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.served.is_finished()
    }

    /// Waits until it has ended.
    pub async fn ended(self) {
        let ended = tokio::time::timeout(PATIENCE, self.served).await;
        ended.expect("it ends").expect("no panic");
    }
}
