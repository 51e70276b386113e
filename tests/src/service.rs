//! An HTTP service that revokes tokens and is shut down in the meantime.
#![expect(clippy::missing_panics_doc, reason = "a test helper panics if the test fails")]

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

/// A service that revokes the tokens of alice, until it is shut down.
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
    /// Starts the service on a free port.
    pub async fn start(hallpass: &Hallpass) -> Self {
        let routes = Router::new().route("/revoke/{id}", post(revoke)).with_state(hallpass.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (end, ended) = oneshot::channel::<()>();
        let served = tokio::spawn(async move {
            let signal = async move { ended.await.expect("the service was dropped") };
            axum::serve(listener, routes)
                .with_graceful_shutdown(signal)
                .await
                .expect("cannot serve");
        });
        Self { address, end: Some(end), served }
    }

    /// Sends a request to revoke a token. The task returns the status of the response, or an error
    /// if there was none.
    #[must_use]
    pub fn send_revoke(&self, id: TokenId) -> JoinHandle<reqwest::Result<u16>> {
        let url = format!("http://{}/revoke/{id}", self.address);
        let client = reqwest::Client::builder().timeout(PATIENCE).build().expect("a client");
        tokio::spawn(async move { Ok(client.post(url).send().await?.status().as_u16()) })
    }

    /// Starts a graceful shutdown: the service ends after it has responded to all requests.
    pub fn shut_down(&mut self) {
        let end = self.end.take().expect("the service is already shutting down");
        end.send(()).expect("the service has ended");
    }

    /// Returns whether the service has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.served.is_finished()
    }

    /// Waits until the service has ended.
    pub async fn ended(self) {
        let ended = tokio::time::timeout(PATIENCE, self.served).await;
        ended.expect("the service does not end").expect("the service panicked");
    }
}
