mod link;
mod listen;
mod pump;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::sync::oneshot;

pub use self::link::Connection;
use self::listen::{Allowed, Shared, Then, serve};
use crate::port;

/// The treatment of the bytes in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flow {
    /// Bytes are forwarded immediately.
    #[default]
    Pass,
    /// Bytes are forwarded after a delay.
    Delay(Duration),
    /// Bytes are kept and forwarded as soon as the flow changes, as after a short interruption of
    /// the network.
    Hold,
    /// Bytes are dropped. So are all later bytes of the same connection and direction, even if the
    /// flow changes. It looks as if the peer had vanished without closing the connection.
    Swallow,
}

/// A direction of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the client to the server.
    ToServer,
    /// From the server to the client.
    ToClient,
}

impl Way {
    const BOTH: [Self; 2] = [Self::ToServer, Self::ToClient];
}

/// A TCP proxy between clients and a server that simulates network faults.
///
/// It runs on its own thread. Dropping the value stops the proxy and closes its connections.
///
/// ```no_run
/// # fn main() -> anyhow::Result<()> {
/// use hallpass_servers::{Proxy, Redis};
///
/// let server = Redis::start()?;
/// let network = Proxy::to(server.address())?;
/// let url = network.url(server.url());
/// // A client connects to the URL, and then:
/// network.swallow();
/// network.heal();
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Proxy {
    server: SocketAddr,
    shared: Arc<Shared>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Starts a proxy to a server. It forwards everything until a fault is set.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no free port or the thread cannot be started.
    pub fn to(server: SocketAddr) -> Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port::free()?));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let shared = Arc::new(Shared::new(address, server));
        let (end, ended) = oneshot::channel();
        let serving = serve(Arc::clone(&shared), ended);
        let thread = std::thread::Builder::new()
            .name("proxy".to_owned())
            .spawn(move || runtime.block_on(serving))
            .context("cannot start the thread of the proxy")?;
        shared.wait_until_listening(true);
        Ok(Self { server, shared, end: Some(end), thread: Some(thread) })
    }

    /// Returns the address that the proxy listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.shared.address
    }

    /// Returns a URL of the server with the address of the proxy.
    #[must_use]
    pub fn url(&self, of_server: &str) -> String {
        of_server.replace(&self.server.to_string(), &self.address().to_string())
    }

    /// Forwards new connections to another server. Existing connections are not changed.
    pub fn lead_to(&self, server: SocketAddr) {
        self.shared.target(server);
    }

    /// Sets the flow of one direction, for all existing and future connections.
    pub fn set(&self, way: Way, flow: Flow) {
        self.shared.set(way, flow);
    }

    /// Sets the flow of both directions, for all existing and future connections.
    pub fn set_both(&self, flow: Flow) {
        Way::BOTH.into_iter().for_each(|way| self.set(way, flow));
    }

    /// Drops all bytes in both directions from now on, without closing the connections. See
    /// [`Flow::Swallow`].
    pub fn swallow(&self) {
        self.set_both(Flow::Swallow);
    }

    /// Rejects new connections, like a machine without a listener on this port. Existing
    /// connections stay open.
    pub fn reject(&self) {
        self.shared.accept(false);
    }

    /// Resets all connections immediately. Both ends receive a RST.
    pub fn cut(&self) {
        self.connections().iter().for_each(Connection::cut);
    }

    /// Forwards `bytes` more bytes in one direction, counted over all connections, and then resets
    /// the connection of the next byte. This happens once.
    pub fn reset_after(&self, way: Way, bytes: u64) {
        self.shared.allow(way, Some(Allowed { bytes, then: Then::Reset }));
    }

    /// Forwards `bytes` more bytes in one direction, counted over all connections, and then resets
    /// all connections. This happens once.
    pub fn cut_after(&self, way: Way, bytes: u64) {
        self.shared.allow(way, Some(Allowed { bytes, then: Then::Cut }));
    }

    /// Removes all faults. Bytes that were dropped stay lost.
    pub fn heal(&self) {
        Way::BOTH.into_iter().for_each(|way| self.shared.allow(way, None));
        self.set_both(Flow::Pass);
        self.shared.accept(true);
    }

    /// Returns the open connections, oldest first.
    #[must_use]
    pub fn connections(&self) -> Vec<Connection> {
        self.shared.connections()
    }

    /// Returns the connection whose local port, as the server sees it, is `port`.
    #[must_use]
    pub fn connection(&self, port: u16) -> Option<Connection> {
        self.connections().into_iter().find(|connection| connection.port() == port)
    }

    /// Returns the number of connections that were accepted so far.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// Returns the number of bytes that were forwarded in one direction so far.
    #[must_use]
    pub fn passed(&self, way: Way) -> u64 {
        self.shared.passed[way as usize].load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // The result of `join` is ignored: an error only means that the thread has panicked.
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
