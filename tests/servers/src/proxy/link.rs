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
    /// The port that the server sees it come from: it names the connection in the server's own
    /// lists.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.port
    }

    /// What becomes of what goes that way on this connection.
    pub fn set(&self, way: Way, flow: Flow) {
        self.0.flows.send_modify(|flows| flows[way as usize] = flow);
    }

    /// The same for both ways.
    pub fn set_both(&self, flow: Flow) {
        Way::BOTH.into_iter().for_each(|way| self.set(way, flow));
    }

    /// Ends it at once: both ends hear of it (RST).
    pub fn cut(&self) {
        self.0.cut.notify_one();
    }
}

impl Link {
    pub(super) fn new(port: u16, flows: [Flow; 2]) -> Self {
        Self { port, flows: watch::Sender::new(flows), cut: Notify::new() }
    }

    /// What becomes of bytes that go that way now.
    pub(super) fn flow(&self, way: Way) -> Flow {
        self.flows.borrow()[way as usize]
    }

    /// The same once they are no longer held.
    pub(super) async fn flow_at_last(&self, way: Way) -> Flow {
        let mut flows = self.flows.subscribe();
        let is_free = |flows: &[Flow; 2]| flows[way as usize] != Flow::Hold;
        flows.wait_for(is_free).await.expect("this link holds the sender")[way as usize]
    }

    pub(super) async fn until_cut(&self) {
        self.cut.notified().await;
    }
}
