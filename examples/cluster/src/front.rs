//! The load balancer: it forwards each connection to the next node.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

pub(crate) async fn serve(listener: TcpListener, nodes: Vec<SocketAddr>) {
    for node in nodes.into_iter().cycle() {
        // An error means that the client has already closed the connection.
        let Ok((mut client, _)) = listener.accept().await else { continue };
        tokio::spawn(async move {
            if let Ok(mut node) = TcpStream::connect(node).await {
                let _ = copy_bidirectional(&mut client, &mut node).await;
            }
        });
    }
}
