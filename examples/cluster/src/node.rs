//! A node: the quickstart service on its own port, with its own cache and store connections.

use std::net::SocketAddr;

use anyhow::{Result, anyhow};
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use hallpass::Hallpass;
use quickstart::{Common, Options, app, hallpass};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The response header that names the node.
const NODE: HeaderName = HeaderName::from_static("x-node");

pub(crate) struct Node {
    pub(crate) number: usize,
    pub(crate) hallpass: Hallpass,
    address: SocketAddr,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Node {
    pub(crate) async fn start(number: usize, store: &str, common: &Common) -> Result<Self> {
        let options = Options {
            listen: "127.0.0.1:0".to_owned(),
            store: store.to_owned(),
            confirm: false,
            limit: 50,
        };
        // The error is formatted here, because `Box<dyn Error>` does not convert to an anyhow
        // error.
        let hallpass =
            hallpass(&options).await.map_err(|error| anyhow!("node {number}: {error}"))?;
        let listener = TcpListener::bind(&options.listen).await?;
        let address = listener.local_addr()?;
        let name = HeaderValue::from(number);
        let app = app(&hallpass, common).layer(axum::middleware::map_response(
            move |mut response: Response| {
                response.headers_mut().insert(NODE, name.clone());
                std::future::ready(response)
            },
        ));
        let serving = tokio::spawn(axum::serve(listener, app).into_future());
        Ok(Self { number, hallpass, address, serving })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops the node and writes the recorded uses of tokens.
    pub(crate) async fn shut_down(self) -> Result<()> {
        self.serving.abort();
        Ok(self.hallpass.shutdown().await?)
    }
}
