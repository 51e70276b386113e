use std::net::SocketAddr;

use bytes::Bytes;
use h2::client::SendRequest;
use http::{HeaderMap, Request};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::{Answer, in_time};

/// An HTTP/2 connection with prior knowledge.
pub(crate) struct Http2 {
    streams: SendRequest<Bytes>,
    driver: JoinHandle<()>,
}

/// The part of a request that follows the headers.
pub(crate) enum Sent {
    Nothing,
    Trailers(HeaderMap),
}

impl Http2 {
    pub(crate) async fn connect(to: SocketAddr) -> Self {
        let stream = TcpStream::connect(to).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (streams, connection) = in_time(h2::client::handshake(stream)).await.unwrap();
        let driver = tokio::spawn(async move {
            // If the connection fails, the missing responses show it.
            let _ = connection.await;
        });
        Self { streams, driver }
    }

    /// Waits for the setting of the server that allows extended CONNECT (RFC 8441).
    pub(crate) async fn until_extended_connect_is_allowed(&self) {
        in_time(async {
            while !self.streams.is_extended_connect_protocol_enabled() {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    pub(crate) async fn send(
        &mut self,
        request: Request<()>,
        then: Sent,
    ) -> Result<Answer, h2::Error> {
        in_time(self.exchange(request, then)).await
    }

    async fn exchange(&mut self, request: Request<()>, then: Sent) -> Result<Answer, h2::Error> {
        std::future::poll_fn(|cx| self.streams.poll_ready(cx)).await?;
        let ends = matches!(then, Sent::Nothing);
        let (answer, mut stream) = self.streams.send_request(request, ends)?;
        match then {
            Sent::Nothing => {}
            Sent::Trailers(trailers) => stream.send_trailers(trailers)?,
        }
        let (head, mut incoming) = answer.await?.into_parts();
        let mut body = Vec::new();
        while let Some(data) = incoming.data().await {
            let data = data?;
            incoming.flow_control().release_capacity(data.len())?;
            body.extend_from_slice(&data);
        }
        let mut headers = head.headers;
        if let Some(trailers) = incoming.trailers().await? {
            headers.extend(trailers);
        }
        Ok(Answer { status: head.status.as_u16(), headers, body })
    }
}

impl Drop for Http2 {
    fn drop(&mut self) {
        self.driver.abort();
    }
}
