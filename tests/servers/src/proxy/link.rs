use std::sync::Arc;

use tokio::sync::{Notify, watch};

use super::{Flow, Way};

/// One connection through a [`Proxy`](super::Proxy).
#[derive(Clone, Debug)]
pub struct Connection(pub(super) Arc<Link>);

#[derive(Debug)]
pub(super) struct Link {
    port: u16,
    flows: watch::Sender<[Flow; 2]>,
    cut: Notify,
}

impl Connection {
    /// Returns the local port of the connection to the server. The server's own list of clients
    /// shows the same port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.port
    }

    /// Sets the flow of one direction of this connection.
    pub fn set(&self, way: Way, flow: Flow) {
        self.0.flows.send_modify(|flows| flows[way as usize] = flow);
    }

    /// Sets the flow of both directions of this connection.
    pub fn set_both(&self, flow: Flow) {
        Way::BOTH.into_iter().for_each(|way| self.set(way, flow));
    }

    /// Resets the connection immediately. Both ends receive a RST.
    pub fn cut(&self) {
        self.0.cut.notify_one();
    }
}

impl Link {
    pub(super) fn new(port: u16, flows: [Flow; 2]) -> Self {
        Self { port, flows: watch::Sender::new(flows), cut: Notify::new() }
    }

    /// Returns the current flow of one direction.
    pub(super) fn flow(&self, way: Way) -> Flow {
        self.flows.borrow()[way as usize]
    }

    /// Waits until bytes are no longer held, and returns the flow of the direction.
    pub(super) async fn flow_after_hold(&self, way: Way) -> Flow {
        let mut flows = self.flows.subscribe();
        let is_released = |flows: &[Flow; 2]| flows[way as usize] != Flow::Hold;
        flows.wait_for(is_released).await.expect("this link holds the sender")[way as usize]
    }

    pub(super) async fn until_cut(&self) {
        self.cut.notified().await;
    }
}
